"""The part of a package that a call may take: found before it starts, kept until it has ended."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.packages import NamedPackage
from rating.package import PackageUnit
from rating.price import Price
from rating.routing import RouteGrant

PackageUse = dict[tuple[int, date], int]
"""Units taken of a package (its id) in the period with this first day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageLeft:
    """What a package has left in the period that runs: from `begins_on` to before `ends_on`, in
    the account's zone."""

    named: NamedPackage
    begins_on: date
    ends_on: date
    taken: int

    @property
    def left(self) -> int:
        """In the package's unit."""
        return self.named.package.left(self.taken)

    @property
    def free_seconds(self) -> int:
        """What a call may take, as prices count it."""
        return self.named.package.unit.free_seconds(self.left)

    def terms(self, held: int) -> "PackageTerms":
        """What is promised to a call that holds so much of it."""
        return PackageTerms(
            package_id=self.named.id,
            begins_on=self.begins_on,
            unit=self.named.package.unit,
            held=held,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTerms:
    """The part of a package that was promised to a call, in the package's unit."""

    package_id: int
    begins_on: date
    unit: PackageUnit
    held: int

    @property
    def free_seconds(self) -> int:
        """As prices count it."""
        return self.unit.free_seconds(self.held)

    def used(self, price: Price | None) -> int:
        """What the call took of it, by its price; None: nobody answered."""
        return 0 if price is None else self.unit.units(price.package_seconds)


def use_of_json(rows: list[tuple[int, str, int]] | None) -> PackageUse:
    """As find_account.sql and why_refused.sql tell it."""
    return {
        (package_id, date.fromisoformat(begins_on)): taken
        for package_id, begins_on, taken in rows or ()
    }


async def read_package_use(db: Any, account_id: int, at: datetime) -> PackageUse:
    """What an account's calls have taken in the periods that may be running at this time."""
    return use_of_json(await db.fetchval(statement("calls/package_use"), account_id, at))


def packages_left(
    packages: Iterable[NamedPackage], use: PackageUse, at: datetime, timezone: str
) -> list[PackageLeft]:
    """What each package has left for a call that starts at this time."""
    found = []
    for named in packages:
        begins_on, ends_on = named.package.days_at(at, ZoneInfo(timezone))
        taken = use.get((named.id, begins_on), 0)
        found.append(PackageLeft(named=named, begins_on=begins_on, ends_on=ends_on, taken=taken))
    return found


def packages_for(
    packages: Iterable[NamedPackage],
    number: str,
    use: PackageUse,
    at: datetime,
    timezone: str,
    *,
    exact: bool = False,
) -> list[PackageLeft]:
    """Those that pay for the number (with `exact`: that name all of it) and have something left."""
    covering = [named for named in packages if named.package.covers(number, exact=exact)]
    return [each for each in packages_left(covering, use, at, timezone) if each.left]


def best_package(
    packages: Iterable[PackageLeft], granted: Callable[[int], RouteGrant]
) -> tuple[PackageLeft | None, RouteGrant]:
    """The package with which the call may last longest, then for the least money, then the first.

    None if it is no better with any: a call that costs nothing anyway takes nothing of a package.
    And the last seconds of one hide no other: they are used when the other has none left. `granted`
    is what the call would be granted with so many free seconds.
    """
    grants: list[tuple[PackageLeft | None, RouteGrant]] = [(None, granted(0))]
    grants += [(each, granted(each.free_seconds)) for each in packages]
    return max(grants, key=lambda each: (each[1].limit_s, -each[1].held_micros))


def terms_of_package_row(row: Any) -> PackageTerms | None:
    """What a stored session was promised of a package."""
    if row["package_id"] is None:
        return None
    return PackageTerms(
        package_id=row["package_id"],
        begins_on=row["package_begins_on"],
        unit=PackageUnit(row["package_unit"]),
        held=row["package_held"],
    )
