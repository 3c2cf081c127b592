"""What a customer has left of its packages, as `customer show` prints it."""

from typing import Any

from agi_server.accounts.account import Account
from agi_server.calls.packages import packages_left, read_package_use
from agi_server.cli.backends import Session
from agi_server.cli.output import units
from agi_server.tariffs.packages import packages_of_plans
from agi_server.tariffs.plans import plan_id


async def packages_of(session: Session, account: Account) -> list[dict[str, Any]]:
    """What is left of the packages of its call plan in the periods that run."""
    if account.plan is None:
        return []
    packages = await packages_of_plans(session.db)
    given = packages.get(await plan_id(session.db, account.plan), ())
    use = await read_package_use(session.db, account.id, session.now)
    return [
        {
            "package": each.named.name,
            "unit": each.named.package.unit.value,
            "amount": each.named.package.amount,
            "left": each.left,
            "prefixes": list(each.named.package.prefixes),
            "begins_on": each.begins_on.isoformat(),
            "ends_on": each.ends_on.isoformat(),
        }
        for each in packages_left(given, use, session.now, account.timezone)
    ]


def package_in_words(left: dict[str, Any]) -> str:
    """In a line; calls in progress count as if they took all that they hold."""
    unit = left["unit"]
    return (
        f"{left['package']}: {units(left['left'], unit)} left of {units(left['amount'], unit)}"
        f" until {left['ends_on']}"
    )
