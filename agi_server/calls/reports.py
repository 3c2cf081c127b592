"""Minutes, money and quality of calls, added up for those who run the business."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from agi_server.storage.postgres.statements import statement

ReportBy = Literal["day", "destination", "trunk", "account", "group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """The calls of one day (its date), destination (its prefix), trunk, account (its id) or group.

    `key` is None for calls that have none, such as refused ones without a destination. `dialled`
    calls were put through to a carrier and have ended, `refused` ones were not. Money in micros of
    `currency`, which is None for callers nobody knows; what was bought is in it too.
    """

    key: str | None
    destination: str | None
    currency: str | None
    dialled: int
    answered: int
    refused: int
    talk_ms: int
    billed_seconds: int
    revenue_micros: int
    buy_cost_micros: int

    @property
    def margin_micros(self) -> int:
        """What is left of the revenue after the carriers are paid."""
        return self.revenue_micros - self.buy_cost_micros

    @property
    def margin_basis_points(self) -> int | None:
        """The margin's part of the revenue; None without revenue."""
        return _basis_points(self.margin_micros, self.revenue_micros)

    @property
    def asr_basis_points(self) -> int | None:
        """Answer-seizure ratio: how many of the dialled calls were answered."""
        return _basis_points(self.answered, self.dialled)

    @property
    def acd_ms(self) -> int | None:
        """Average call duration: talk of an answered call."""
        return self.talk_ms // self.answered if self.answered else None


async def report_calls(
    db: Any,
    begin: datetime,
    end: datetime,
    by: ReportBy,
    *,
    zone: ZoneInfo,
    group_id: int | None = None,
) -> list[ReportRow]:
    """Calls authorized in [begin, end), by day in `zone` in order, else the most minutes first.

    Calls in progress are not in it: they have no cost yet.
    """
    rows = await db.fetch(statement("reports/calls"), begin, end, by, zone.key, group_id)
    return [ReportRow(**row) for row in rows]


def _basis_points(part: int, whole: int) -> int | None:
    return (part * 10_000 + whole // 2) // whole if whole else None
