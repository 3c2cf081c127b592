"""Packages: free minutes or calls of a period, consumed before money."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from rating.price import WHOLE_CALL_FREE_S, Price


class PackageError(ValueError):
    """A field of a package is out of bounds; the message begins with the field's name."""


class PackageUnit(StrEnum):
    """What a package gives."""

    SECONDS = "seconds"
    CALLS = "calls"


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
        if self.amount < 0:
            raise PackageError(f"amount: {self.amount} is negative")
        last = 28 if self.period is PackagePeriod.MONTH else 7
        if not 1 <= self.first_day <= last:
            raise PackageError(f"first_day: {self.first_day} is not 1 to {last}")
        for prefix in self.prefixes:
            if not (prefix.isascii() and prefix.isdigit()):
                raise PackageError(f"prefixes: {prefix[:40]!r} is not digits")

    def covers(self, number: str) -> bool:
        """Whether calls to this normalised number are in the package."""
        return not self.prefixes or number.startswith(self.prefixes)

    def period_at(self, at: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
        """First instant of the period that holds `at`, and of the next (UTC)."""
        today = at.astimezone(zone).date()
        if self.period is PackagePeriod.DAY:
            begin, end = today, today + timedelta(days=1)
        elif self.period is PackagePeriod.WEEK:
            begin = today - timedelta(days=(today.isoweekday() - self.first_day) % 7)
            end = begin + timedelta(days=7)
        else:
            month = today.replace(day=1)
            if today.day < self.first_day:
                month = (month - timedelta(days=1)).replace(day=1)
            begin = month.replace(day=self.first_day)
            end = (month + timedelta(days=31)).replace(day=self.first_day)
        first, following = (
            datetime.combine(day, time(), zone).astimezone(UTC) for day in (begin, end)
        )
        return first, following

    def free_seconds(self, used: int) -> int:
        """What a call may take, as `price_call` wants it.

        `used` is what calls of the period have consumed, and what calls in progress hold: parallel
        calls never share a second or a free call.
        """
        left = max(self.amount - used, 0)
        if self.unit is PackageUnit.CALLS:
            return WHOLE_CALL_FREE_S if left else 0
        return left

    def consumed(self, price: Price) -> int:
        """How much of the package a call used that was priced with its free seconds."""
        if self.unit is PackageUnit.CALLS:
            return 1 if price.package_seconds else 0
        return price.package_seconds
