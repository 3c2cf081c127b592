"""Minutes, money and quality of calls: a table, a chart of one figure, and all of it as CSV."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from agi_server.accounts.years import check_year
from agi_server.calls.report_texts import EVERYTHING, as_csv
from agi_server.calls.reports import Measure, ReportBy, ReportRow, report_calls
from agi_server.refused import InvalidFieldError
from agi_server.storage.postgres.statements import statement
from agi_server.web.auth.roles import Operator, Right
from agi_server.web.console import formats
from agi_server.web.console.access import operator_of
from agi_server.web.console.chart import day_chart
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import language_of, page
from agi_server.web.services import services_of

router = APIRouter(prefix="/reports")

_DEFAULT_DAYS = 7
_MOST_DAYS = 400
_ROWS_SHOWN = 200
_BARS_SHOWN = 15

_WAYS: tuple[ReportBy, ...] = ("day", "destination", "trunk", "account", "group", "campaign")
_MEASURES: Mapping[Measure, Callable[[ReportRow], int | None]] = {
    "minutes": lambda row: row.billed_seconds // 60,
    "revenue": lambda row: row.revenue_micros,
    "cost": lambda row: row.buy_cost_micros,
    "margin": lambda row: row.margin_micros,
    "asr": lambda row: row.asr_basis_points,
    "acd": lambda row: row.acd_ms,
}
_MONEY = ("revenue", "cost", "margin")
# What carriers are paid, and which there are, is not for resellers.
_BUSINESS = {"trunk", "group", "cost", "margin", "margin_percent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Calls of the days from `first` to `last` in the operator's zone; `wrong` is what is not so of
    the days that were typed, in whose place are the last ones."""

    by: ReportBy
    measure: Measure
    first: date
    last: date
    zone: ZoneInfo
    wrong: InvalidFieldError | None

    @property
    def query(self) -> dict[str, str]:
        """For addresses."""
        return {"by": self.by, "first": self.first.isoformat(), "last": self.last.isoformat()}


def _asked(
    request: Request,
    by: str = "day",
    measure: str = "minutes",
    first: str = "",
    last: str = "",
) -> _Asked:
    """What the address asks for; what it does not name is the last 7 days."""
    operator = operator_of(request)
    zone = ZoneInfo(operator.timezone)
    today = services_of(request).now().astimezone(zone).date()
    wrong = None
    try:
        begin, end = _days(first, last, today)
    except InvalidFieldError as error:
        wrong = error
        begin, end = _days("", "", today)
    ways = [each for each in _WAYS if each == by and _may_see(operator, each)]
    figures = [each for each in _MEASURES if each == measure and _may_see(operator, each)]
    return _Asked(
        by=ways[0] if ways else "day",
        measure=figures[0] if figures else "minutes",
        first=begin,
        last=end,
        zone=zone,
        wrong=wrong,
    )


Asked = Annotated[_Asked, Depends(_asked)]


@router.get("")
async def show_report(request: Request, asked: Asked, currency: str = "") -> Response:
    """The page."""
    operator, services = operator_of(request), services_of(request)
    # A customer has one currency. Of anything else there are fewer, and what is sold in several
    # currencies is one bar: so it is read whole.
    rows = await _rows(request, asked, most=_ROWS_SHOWN + 1 if asked.by == "account" else None)
    currencies = sorted({row.currency for row in rows if row.currency})
    own = services.settings.accounts.currency
    if currency not in currencies:
        currency = own if own in currencies or not currencies else currencies[0]
    wrong = asked.wrong
    days = {"first": asked.first.isoformat(), "last": asked.last.isoformat()}
    return page(
        request,
        "reports.html",
        422 if wrong else 200,
        asked=asked,
        errors={wrong.field: wrong.message} if wrong else {},
        typed={**days, **request.query_params} if wrong else days,
        day_of=date.fromisoformat,
        rows=rows[:_ROWS_SHOWN],
        more=len(rows) > _ROWS_SHOWN,
        names=await _names(services.db, asked, rows[:_ROWS_SHOWN]),
        ways=[each for each in _WAYS if _may_see(operator, each)],
        measures=[each for each in _MEASURES if _may_see(operator, each)],
        currency=currency,
        currencies=currencies,
        is_money=asked.measure in _MONEY,
        **_charts(request, asked, rows, currency),
    )


@router.get("/calls.csv")
async def show_csv(request: Request, asked: Asked) -> Response:
    """All rows, with all columns that the operator may see."""
    if asked.wrong:
        raise asked.wrong
    operator = operator_of(request)
    columns = [name for name in EVERYTHING if _may_see(operator, name)]
    text = as_csv(await _rows(request, asked), asked.by, columns)
    name = f"calls-by-{asked.by}-{asked.first}-{asked.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _days(first: str, last: str, today: date) -> tuple[date, date]:
    """Raises InvalidFieldError."""
    end = _day("last", last) or today
    begin = _day("first", first) or end - timedelta(days=_DEFAULT_DAYS - 1)
    if not timedelta() <= end - begin < timedelta(days=_MOST_DAYS):
        raise InvalidFieldError(
            "first", N_("the first day comes before the last, at most 400 days")
        )
    return begin, end


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidFieldError(name, N_("must be a day like 2026-03-31")) from None
    try:
        check_year(day)
    except ValueError as error:
        raise InvalidFieldError(name, str(error)) from None
    return day


def _may_see(operator: Operator, what: str) -> bool:
    return operator.may(Right.SEE_BUSINESS) or what not in _BUSINESS


async def _rows(request: Request, asked: _Asked, most: int | None = None) -> list[ReportRow]:
    midnight = datetime.min.time()
    return await report_calls(
        services_of(request).db,
        datetime.combine(asked.first, midnight, asked.zone),
        datetime.combine(asked.last + timedelta(days=1), midnight, asked.zone),
        asked.by,
        zone=asked.zone,
        group_id=operator_of(request).group_id,
        measure=asked.measure,
        most=most,
    )


async def _names(db: Any, asked: _Asked, rows: Sequence[ReportRow]) -> dict[str, Any]:
    """The customers of a report by account, by the key of their row."""
    if asked.by != "account":
        return {}
    ids = sorted({int(row.key) for row in rows if row.key})
    return {str(row["id"]): row for row in await db.fetch(statement("web/customer_names"), ids)}


def _charts(
    request: Request, asked: _Asked, rows: Sequence[ReportRow], currency: str
) -> dict[str, Any]:
    """The measure day by day, or of the rows that have the most of it."""
    measure = _MEASURES[asked.measure]
    if asked.measure in _MONEY:
        rows = [row for row in rows if row.currency == currency]
    values = [
        (row, value)
        for row in _merged(rows)
        if row.key is not None and (value := measure(row)) is not None
    ]
    show = _shown(asked.measure, currency, language_of(request))
    if asked.by == "day":
        days = {date.fromisoformat(row.key): value for row, value in values if row.key}
        chart = day_chart(days, asked.first, asked.last)
        return {"chart": chart if any(days.values()) else None, "bars": [], "show": show}
    longest = max((abs(value) for _, value in values), default=0)
    values.sort(key=lambda each: each[1], reverse=True)
    bars = [
        (row, value, round(abs(value) / longest * 100, 1))
        for row, value in values[:_BARS_SHOWN]
        if longest
    ]
    return {"chart": None, "bars": bars, "show": show}


def _merged(rows: Sequence[ReportRow]) -> list[ReportRow]:
    """One row for each key, whatever the currencies."""

    def key(row: ReportRow) -> str:
        return row.key or ""

    merged = []
    for _, group in groupby(sorted(rows, key=key), key=key):
        first, *others = group
        for other in others:
            first = replace(
                first,
                **{
                    name: getattr(first, name) + getattr(other, name)
                    for name in ("dialled", "answered", "refused", "talk_ms", "billed_seconds")
                },
            )
        merged.append(first)
    return merged


def _shown(measure: str, currency: str, language: str) -> Callable[[int], str]:
    if measure in _MONEY:
        return lambda value: formats.money(value, currency, language)
    if measure == "asr":
        return lambda value: formats.percent(value, language)
    if measure == "acd":
        return formats.clock
    return lambda value: formats.number(value, language)
