"""Packages: free minutes or calls of a period, consumed before money."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from rating.price import WHOLE_CALL_FREE_S
from rating.rate import MAX_PREFIX_DIGITS

MAX_AMOUNT = 1_000_000_000
"""Of seconds or calls in a period: more than anybody can use."""


class PackageError(ValueError):
    """A field of a package is out of bounds; the message begins with the field's name."""


class PackageUnit(StrEnum):
    """What a package gives."""

    SECONDS = "seconds"
    CALLS = "calls"

    def free_seconds(self, units: int) -> int:
        """What a call that has so many units may take, as `price_call` wants it."""
        if self is PackageUnit.CALLS:
            return WHOLE_CALL_FREE_S if units else 0
        return units

    def units(self, package_seconds: int) -> int:
        """How many units a call takes of which a package pays so many seconds."""
        if self is PackageUnit.CALLS:
            return 1 if package_seconds else 0
        return package_seconds


class PackagePeriod(StrEnum):
    """How often it gives it again."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """`amount` of seconds or calls to numbers with one of `prefixes` (empty: all) in each period.

    A period begins at midnight in the account's zone: of every day, of the weekday `first_day`
    (1: Monday) or of that day of the month (1 to 28). What is left at its end is lost. A call
    counts in the period in which it starts.
    """

    unit: PackageUnit
    amount: int
    period: PackagePeriod = PackagePeriod.MONTH
    first_day: int = 1
    prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= MAX_AMOUNT:
            raise PackageError(f"amount: {self.amount} is not 0 to {MAX_AMOUNT}")
        last = 28 if self.period is PackagePeriod.MONTH else 7
        if not 1 <= self.first_day <= last:
            raise PackageError(f"first_day: {self.first_day} is not 1 to {last}")
        for prefix in self.prefixes:
            if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= MAX_PREFIX_DIGITS):
                raise PackageError(
                    f"prefixes: {prefix[:40]!r} is not 1 to {MAX_PREFIX_DIGITS} digits"
                )

    def covers(self, number: str, *, exact: bool = False) -> bool:
        """Whether calls to this normalised number are in the package.

        `exact`: its first digits are no country code, so one of the prefixes must be all of it.
        """
        if not self.prefixes:
            return True
        return number in self.prefixes if exact else number.startswith(self.prefixes)

    def days_at(self, at: datetime, zone: tzinfo) -> tuple[date, date]:
        """First day of the period that holds `at`, and of the next, in the account's zone."""
        today = at.astimezone(zone).date()
        if self.period is PackagePeriod.DAY:
            return today, today + timedelta(days=1)
        if self.period is PackagePeriod.WEEK:
            begin = today - timedelta(days=(today.isoweekday() - self.first_day) % 7)
            return begin, begin + timedelta(days=7)
        month = today.replace(day=1)
        if today.day < self.first_day:
            month = (month - timedelta(days=1)).replace(day=1)
        return (
            month.replace(day=self.first_day),
            (month + timedelta(days=31)).replace(day=self.first_day),
        )

    def period_at(self, at: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
        """First instant of the period that holds `at`, and of the next (UTC)."""
        first, following = (
            datetime.combine(day, time(), zone).astimezone(UTC) for day in self.days_at(at, zone)
        )
        return first, following

    def left(self, taken: int) -> int:
        """How many units are left when calls have taken so many of the period's.

        Taken is what ended calls used and what calls in progress hold: parallel calls never share
        a second or a free call.
        """
        return max(self.amount - taken, 0)
