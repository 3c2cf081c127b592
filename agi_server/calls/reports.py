"""Minutes, money and quality of calls, added up for those who run the business."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from agi_server.storage.postgres.statements import statement

ReportBy = Literal["day", "destination", "trunk", "account", "group", "campaign"]
Measure = Literal["minutes", "revenue", "cost", "margin", "asr", "acd"]

# For a statement that adds up as much as it is asked to: memory for its groups, and an index that
# has all of it is read in one go rather than the calls.
REPORT_SETTINGS = ("SET LOCAL work_mem = '64MB'", "SET LOCAL random_page_cost = 1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """The calls of one day (its date), destination (its prefix), trunk, account (its id), group or
    campaign, as it is now.

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
    pool: Any,
    begin: datetime,
    end: datetime,
    by: ReportBy,
    *,
    zone: ZoneInfo,
    group_id: int | None = None,
    measure: Measure = "minutes",
    most: int | None = None,
) -> list[ReportRow]:
    """Calls authorized in [begin, end): by day in `zone` in order, else the most of a measure
    first; at most so many of each currency.

    Calls in progress are not in it: they have no cost yet.
    """
    async with pool.acquire() as db, db.transaction(readonly=True):
        for setting in REPORT_SETTINGS:
            await db.execute(setting)
        rows = await db.fetch(
            statement("reports/calls"), begin, end, by, zone.key, group_id, measure, most
        )
    return [ReportRow(**row) for row in rows]


def _basis_points(part: int, whole: int) -> int | None:
    return (part * 10_000 + whole // 2) // whole if whole else None
