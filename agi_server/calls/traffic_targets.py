"""What customers have called in a month, beside the traffic that was expected of them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agi_server.accounts.account import Account
from agi_server.storage.postgres.statements import statement

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficTarget:
    """One account that expects traffic; `target_traffic` says in words where to."""

    account_id: int
    account_number: str
    expected_minutes: int
    target_traffic: str | None
    billed_seconds: int

    @property
    def minutes(self) -> int:
        """The whole minutes of its calls."""
        return self.billed_seconds // 60

    @property
    def reached(self) -> bool:
        """Has it called as much as was expected?"""
        return self.billed_seconds >= self.expected_minutes * 60


async def traffic_targets(db: Any, month: date) -> list[TrafficTarget]:
    """Accounts with expected traffic, in the order of their ids; `month` by its first day, in each
    account's time zone."""
    found: list[TrafficTarget] = []
    after_id = 0
    while rows := await db.fetch(statement("reports/traffic_targets"), month, after_id, _PAGE):
        found += [TrafficTarget(**row) for row in rows]
        after_id = rows[-1]["account_id"]
    return found


async def traffic_of(db: Any, account: Account, at: datetime) -> TrafficTarget | None:
    """The traffic of one account in the present month of its zone; None where none is expected."""
    month = at.astimezone(ZoneInfo(account.timezone)).date().replace(day=1)
    rows = await db.fetch(statement("reports/traffic_targets"), month, account.id - 1, 1)
    found = [TrafficTarget(**row) for row in rows if row["account_id"] == account.id]
    return found[0] if found else None
