"""What a rate asks in which hours: to compare it with another, to print it and to export it."""

from collections.abc import Iterator

from rating.hours import Interval, contains, intervals_of, minutes_of
from rating.money import format_money
from rating.rate import Rate, Stage


def rates_by_hours(rate: Rate) -> Iterator[tuple[Rate, tuple[Interval, ...]]]:
    """Each other rate that has hours of this one, and its hours."""
    taken = 0
    hours: dict[Rate, int] = {}
    for window in rate.windows:
        minutes = minutes_of(window.interval) & ~taken  # the first window that holds one counts
        taken |= minutes
        hours[window.rate] = hours.get(window.rate, 0) | minutes
    for other, minutes in hours.items():
        if minutes:
            yield other, intervals_of(minutes)


def format_stage(stage: Stage) -> str:
    """As a plain sheet has it: length, price a minute, increment and entry fee."""
    price, fee = format_money(stage.price_micros_per_minute), format_money(stage.entry_fee_micros)
    return f"{stage.length_s}@{price}/{stage.increment_s}+{fee}"


def moved_prices(old: Rate, new: Rate) -> set[tuple[int, int]]:
    """Each price a minute that changes, at any hour and in any stage: the old one and the new, in
    micros. What is blocked on either side has no price."""
    moved: set[tuple[int, int]] = set()
    edges = {edge for rate in (old, new) for each in rate.windows for edge in each.interval}
    for minute in edges or (0,):
        before, after = _rate_at(old, minute), _rate_at(new, minute)
        if before.blocked or after.blocked:
            continue
        for index in range(max(len(before.stages), len(after.stages)) + 1):
            prices = _price_in(before, index), _price_in(after, index)
            if prices[0] != prices[1]:
                moved.add(prices)
    return moved


def _rate_at(rate: Rate, minute: int) -> Rate:
    windows = (each.rate for each in rate.windows if contains(each.interval, minute))
    return next(windows, rate)


def _price_in(rate: Rate, stage: int) -> int:
    of_stage = rate.stages[stage] if stage < len(rate.stages) else rate
    return of_stage.price_micros_per_minute
