"""What a call is charged for, exact: the lines of its price before discount, minimum and rounding.

Prices are per minute and times in seconds, so amounts are whole sixtieths of a micro.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from rating.hours import MINUTES_OF_WEEK, change_offsets, contains, minute_of_week
from rating.rate import Rate
from rating.rate_card import PricingRules


class LineKind(StrEnum):
    """What a line of a price is for."""

    CONNECTION_FEE = "connection_fee"
    DISCONNECTION_FEE = "disconnection_fee"
    BLOCK_SURCHARGE = "block_surcharge"
    STAGE_ENTRY_FEE = "stage_entry_fee"
    STAGE = "stage"
    TALK = "talk"
    PACKAGE = "package"
    DISCOUNT = "discount"
    ROUNDING = "rounding"
    MINIMUM_CHARGE = "minimum_charge"


_TALK = LineKind.TALK
"""Looking a member up in its class takes longer than the rest of the line."""

Charge = tuple[LineKind, int, int, int]
"""Kind, billed seconds, price per minute in micros, amount in sixtieths of a micro."""

Stretch = tuple[int, Rate]
"""The offset in seconds from the call's start at which a rate comes into force, and the rate."""


class Course(NamedTuple):
    """The rate a call starts at, and those that come into force while it lasts (empty: none do)."""

    rate: Rate
    stretches: tuple[Stretch, ...] = ()


def course_of(
    rate: Rate, started_at: datetime | None, rules: PricingRules, longest_s: int
) -> Course:
    """Which rates apply to a call of at most `longest_s` seconds. `started_at` is needed with time
    windows only (ValueError without)."""
    if not rate.windows:
        return Course(rate)
    if started_at is None:
        raise ValueError("started_at: needed, the rate has time windows")
    started_at = started_at.astimezone(UTC)  # so that adding seconds adds time, not wall time
    first = _rate_paid(rate, started_at, rules)
    if rules.price_by_start:
        return Course(first)
    longest_s = max(longest_s + first.grace_s, first.short_call_time_s, first.initial_s, 1)
    edges = sorted({minute for window in rate.windows for minute in window.interval})
    stretches: list[Stretch] = []
    for offset in change_offsets(started_at, rules.zone, edges, longest_s):
        then = _rate_paid(rate, started_at + timedelta(seconds=offset), rules)
        if not stretches or then is not stretches[-1][1]:
            stretches.append((offset, then))
    return Course(first, tuple(stretches) if len(stretches) > 1 else ())


def worst_courses(
    rate: Rate, earliest: datetime, latest: datetime, rules: PricingRules, longest_s: int
) -> tuple[Course, ...]:
    """Courses that together are never cheaper than any that starts from `earliest` to `latest`.

    One for each rate that may be in force at the start: its fees, stages and increments. An
    increment has the highest price of those in force when it may begin, so that a limit and a hold
    by these courses cover every second at which the call may be answered; exactly so while it
    passes one change of price, by as much as the answer may come later where it passes several.
    """
    if not rate.windows:
        return (Course(rate),)
    # Prices change at whole seconds after the start: a part of a second makes no difference.
    earliest = earliest.astimezone(UTC).replace(microsecond=0)
    span_s = max(0, int((latest - earliest).total_seconds()))
    rates = (rate, *(window.rate for window in rate.windows))
    longest_s += max(max(each.grace_s, each.short_call_time_s, each.initial_s) for each in rates)
    rates_in_force = replace(rules, price_by_start=False)
    first, stretches = course_of(rate, earliest, rates_in_force, longest_s + span_s)
    stretches = stretches or ((0, first),)
    courses: list[Course] = []
    for index, (low, at_start) in enumerate(stretches):
        if low > span_s:
            break
        following = stretches[index + 1][0] if index + 1 < len(stretches) else span_s + 1
        high = min(following - 1, span_s)
        dearest = () if rules.price_by_start else _dearest(stretches, low, high, longest_s)
        courses.append(Course(at_start, dearest if len(dearest) > 1 else ()))
    return tuple(courses)


def _dearest(
    stretches: tuple[Stretch, ...], low: int, high: int, longest_s: int
) -> tuple[Stretch, ...]:
    """The dearest rate at each offset of a call that starts `low` to `high` seconds later."""
    offsets = {0}
    for offset, _ in stretches:
        offsets |= {offset - low, offset - high}
    dearest: list[Stretch] = []
    for offset in sorted(each for each in offsets if 0 <= each < longest_s):
        begin, end = low + offset, high + offset
        then = max(
            (
                stretches[index][1]
                for index in range(len(stretches))
                if stretches[index][0] <= end
                and (index + 1 == len(stretches) or begin < stretches[index + 1][0])
            ),
            key=attrgetter("price_micros_per_minute"),
        )
        if not dearest or then is not dearest[-1][1]:
            dearest.append((offset, then))
    return tuple(dearest)


def rate_in_force(rate: Rate, at: datetime, rules: PricingRules) -> Rate:
    """The rate itself, or that of its first window which holds the minute of `at`."""
    return _rate_of_minute(rate, minute_of_week(at, rules.zone)) if rate.windows else rate


def _rate_paid(rate: Rate, at: datetime, rules: PricingRules) -> Rate:
    """The rate in force at an instant of a call, which may run into hours that are blocked, or be
    answered in them: it goes on at the price that was in force before these hours, since what
    must not be called has no price of its own and no call is free by being forbidden."""
    in_force = rate_in_force(rate, at, rules)
    if not in_force.blocked:
        return in_force
    minute = minute_of_week(at, rules.zone)
    edges = {edge for window in rate.windows for edge in window.interval}
    for edge in sorted(edges, key=lambda each: (minute - each) % MINUTES_OF_WEEK):
        before = _rate_of_minute(rate, (edge - 1) % MINUTES_OF_WEEK)
        if not before.blocked:
            return before
    return in_force  # blocked all the week: no call is made


def _rate_of_minute(rate: Rate, minute: int) -> Rate:
    for window in rate.windows:
        if contains(window.interval, minute):
            return window.rate
    return rate


def sell_charges(course: Course, duration_s: int, rules: PricingRules) -> tuple[list[Charge], int]:
    """Everything a call of `duration_s` is charged for, and the seconds billed.

    Fees, stages and increments are those of the rate in force at its start; only the price of a
    minute changes with the hours.
    """
    if duration_s < 0:
        raise ValueError(f"duration_s: {duration_s} is negative")
    rate = course.rate
    charges: list[Charge] = []
    if rate.connection_fee_micros:
        charges.append((LineKind.CONNECTION_FEE, 0, 0, rate.connection_fee_micros * 60))
    if rate.disconnection_fee_micros and duration_s >= rate.disconnection_fee_after_s:
        charges.append((LineKind.DISCONNECTION_FEE, 0, 0, rate.disconnection_fee_micros * 60))
    seconds = duration_s + rate.grace_s
    if 0 < rate.short_call_threshold_s < seconds < rate.short_call_time_s:
        seconds = rate.short_call_time_s
    if rate.block_surcharge_micros and 0 < rate.block_s <= seconds:
        surcharge = seconds // rate.block_s * rate.block_surcharge_micros
        charges.append((LineKind.BLOCK_SURCHARGE, 0, 0, surcharge * 60))
    if rate.stages:
        _add_stages(charges, course, max(seconds, rate.initial_s), rules)
        return charges, sum([charge[1] for charge in charges])
    grid = 0 if rules.increments_from_zero else rate.initial_s
    billed = _billed_seconds(seconds, rate.initial_s, rate.increment_s, grid)
    if course.stretches:
        for length, then in _pieces(course, 0, rate.initial_s, rate.increment_s, grid, billed):
            price = then.price_micros_per_minute
            charges.append((_TALK, length, price, length * price))
    else:
        price = rate.price_micros_per_minute
        charges.append((_TALK, billed, price, billed * price))
    return charges, billed


def buy_side(course: Course, duration_s: int, rules: PricingRules) -> tuple[int, int]:
    """What the carrier charges: sixtieths of a micro, and the seconds it bills."""
    rate = course.rate
    seconds = duration_s + (rate.grace_s if rules.increments_from_zero else 0)
    grid = 0 if rules.increments_from_zero else rate.buy_initial_s
    billed = _billed_seconds(seconds, rate.buy_initial_s, rate.buy_increment_s, grid)
    fee = rate.buy_connection_fee_micros * 60
    if not course.stretches:
        return fee + billed * rate.buy_price_micros_per_minute, billed
    pieces = _pieces(course, 0, rate.buy_initial_s, rate.buy_increment_s, grid, billed)
    return fee + sum(length * then.buy_price_micros_per_minute for length, then in pieces), billed


def _add_stages(charges: list[Charge], course: Course, seconds: int, rules: PricingRules) -> None:
    rate = course.rate
    passed = 0
    for number, stage in enumerate(rate.stages):
        share = min(seconds - passed, stage.length_s)
        if not share and number:  # the first is reached by the answer, as the peer has it
            return
        billed = -(-share // stage.increment_s) * stage.increment_s
        if not rules.increments_from_zero:
            # The peer bills a stage's last increment in full and the seconds past the stage's end
            # again in the next one; here nobody pays for the same second twice.
            billed = min(billed, stage.length_s)
        if stage.entry_fee_micros:
            charges.append((LineKind.STAGE_ENTRY_FEE, 0, 0, stage.entry_fee_micros * 60))
        price = stage.price_micros_per_minute
        charges.append((LineKind.STAGE, billed, price, billed * price))
        passed += share
    if seconds > passed:
        end = passed - (passed - seconds) // rate.increment_s * rate.increment_s
        for length, then in _pieces(course, passed, passed, rate.increment_s, passed, end):
            price = then.price_micros_per_minute
            charges.append((_TALK, length, price, length * price))


def _billed_seconds(seconds: int, initial_s: int, increment_s: int, grid: int) -> int:
    """`seconds` rounded up to the initial increment, then to further ones counted from `grid`."""
    if seconds <= initial_s:
        return initial_s
    return grid - (grid - seconds) // increment_s * increment_s


def _pieces(
    course: Course, begin: int, initial_end: int, increment_s: int, grid: int, end: int
) -> Iterator[tuple[int, Rate]]:
    """Billed seconds from `begin` to `end`, cut where the price changes, with the rate of each.

    One increment lasts from `begin` to `initial_end` (if that is later), further ones end at
    multiples of `increment_s` counted from `grid`. Each is priced by the rate in force when it
    begins, so a piece ends at the first beginning of an increment at or after the change.
    """

    def cut(offset: int) -> int:
        if offset <= begin:
            return begin
        if offset <= initial_end:
            return min(initial_end, end)
        return min(grid - (grid - offset) // increment_s * increment_s, end)

    stretches = course.stretches or ((0, course.rate),)
    for index, (offset, rate) in enumerate(stretches):
        following = cut(stretches[index + 1][0]) if index + 1 < len(stretches) else end
        if following > cut(offset):
            yield following - cut(offset), rate
