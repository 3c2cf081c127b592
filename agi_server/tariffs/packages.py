"""Packages: free minutes or calls of a period, which call plans give to their accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.trunks import check_name
from rating.package import Package, PackageError, PackagePeriod, PackageUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPackage:
    """A stored package."""

    id: int
    name: str
    package: Package


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPackage(NamedPackage):
    """A package and the names of the call plans that give it."""

    plans: tuple[str, ...]


async def create_package(
    db: Any,
    name: str,
    unit: PackageUnit,
    amount: int,
    *,
    period: PackagePeriod = PackagePeriod.MONTH,
    first_day: int = 1,
    prefixes: Sequence[str] = (),
) -> StoredPackage:
    """Raises InvalidFieldError, RefusedError (the name is taken)."""
    check_name(name)
    package = _checked(unit, amount, period, first_day, prefixes)
    sql = statement("tariffs/insert_package")
    new_id = await db.fetchval(
        sql, name, unit, package.amount, period, package.first_day, package.prefixes
    )
    if new_id is None:
        raise RefusedError(f"a package {name} exists already")
    return await find_package(db, name)


async def change_package(
    db: Any, name: str, *, amount: int | None = None, prefixes: Sequence[str] | None = None
) -> StoredPackage:
    """Change what is given; daemons notice at once, and calls in progress keep what they have.

    Unit and period stay as they are: what was used is counted in them. Raises InvalidFieldError,
    NotFoundError.
    """
    old = (await find_package(db, name)).package
    changed = _checked(
        old.unit,
        old.amount if amount is None else amount,
        old.period,
        old.first_day,
        old.prefixes if prefixes is None else prefixes,
    )
    sql = statement("tariffs/update_package")
    await db.fetchval(sql, name, amount, None if prefixes is None else changed.prefixes)
    return await find_package(db, name)


async def find_package(db: Any, name: str) -> StoredPackage:
    """Raises NotFoundError."""
    rows = await db.fetch(statement("tariffs/list_packages"), name)
    if not rows:
        raise NotFoundError(f"there is no package {name}")
    return _stored(rows[0])


async def list_packages(db: Any) -> list[StoredPackage]:
    """All packages by name."""
    return [_stored(row) for row in await db.fetch(statement("tariffs/list_packages"), None)]


async def packages_of_plans(db: Any) -> dict[int, tuple[NamedPackage, ...]]:
    """The packages of each call plan, by its id, in the order in which they are used up."""
    found: dict[int, tuple[NamedPackage, ...]] = {}
    for row in await db.fetch(statement("tariffs/load_packages")):
        named = NamedPackage(id=row["id"], name=row["name"], package=_package(row))
        found[row["plan_id"]] = (*found.get(row["plan_id"], ()), named)
    return found


def _checked(
    unit: PackageUnit,
    amount: int,
    period: PackagePeriod,
    first_day: int,
    prefixes: Sequence[str],
) -> Package:
    try:
        return Package(
            unit=unit,
            amount=amount,
            period=period,
            first_day=first_day,
            prefixes=tuple(dict.fromkeys(prefixes)),
        )
    except PackageError as error:
        field, _, message = str(error).partition(": ")
        raise InvalidFieldError("prefix" if field == "prefixes" else field, message) from None


def _stored(row: Any) -> StoredPackage:
    return StoredPackage(
        id=row["id"], name=row["name"], package=_package(row), plans=tuple(row["plans"])
    )


def _package(row: Any) -> Package:
    return Package(
        unit=PackageUnit(row["unit"]),
        amount=row["amount"],
        period=PackagePeriod(row["period"]),
        first_day=row["first_day"],
        prefixes=tuple(row["prefixes"]),
    )
