"""`agi-server report`: minutes, money and quality of calls."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import click

from agi_server.calls import report_texts
from agi_server.calls.reports import ReportBy, report_calls
from agi_server.calls.traffic_targets import traffic_targets
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_list
from agi_server.cli.parameters import TIME, ZONE, json_option
from agi_server.observe.masking import mask_account_number

_DEFAULT_PERIOD = timedelta(days=30)


@click.group(cls=Group)
@backend_options
def report() -> None:
    """Minutes, revenue, cost, margin, ASR and ACD of the calls that ended.

    \b
    Example:
      agi-server report margin --by destination --from 2026-03-01 --to 2026-04-01
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        json_option,
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV."),
        click.option(
            "--zone", type=ZONE, default="UTC", show_default=True, help="In which days begin."
        ),
        click.option("--to", "end", type=TIME, metavar="TIME", help="Not included; else now."),
        click.option(
            "--from", "begin", type=TIME, metavar="TIME", help="UTC; else 30 days before the end."
        ),
        click.option(
            "--by", type=click.Choice(get_args(ReportBy)), default="day", show_default=True
        ),
    ):
        command = option(command)
    return command


@report.command()
@_options
@with_database
async def traffic(session: Session, **options: Any) -> None:
    """Calls, answered calls and minutes.

    \b
    Example:
      agi-server report traffic --by day --zone Europe/Paris
    """
    await _print(session, ("dialled", "answered", "refused", "minutes"), **options)


@report.command()
@_options
@with_database
async def revenue(session: Session, **options: Any) -> None:
    """What customers paid for calls.

    \b
    Example:
      agi-server report revenue --by account --csv
    """
    await _print(session, ("answered", "minutes", "revenue", "currency"), **options)


@report.command()
@_options
@with_database
async def margin(session: Session, **options: Any) -> None:
    """What is left of the revenue after the carriers are paid.

    \b
    Example:
      agi-server report margin --by trunk
    """
    columns = ("minutes", "revenue", "cost", "margin", "margin_percent", "currency")
    await _print(session, columns, **options)


@report.command()
@_options
@with_database
async def quality(session: Session, **options: Any) -> None:
    """ASR (answered of the dialled calls, percent) and ACD (average talk of an answered call).

    \b
    Example:
      agi-server report quality --by trunk --json
    """
    await _print(session, ("dialled", "answered", "asr_percent", "acd"), **options)


async def _print(
    session: Session,
    columns: tuple[str, ...],
    *,
    by: ReportBy,
    begin: datetime | None,
    end: datetime | None,
    zone: ZoneInfo,
    as_csv: bool,
    as_json: bool,
) -> None:
    end = end or session.now
    begin = begin or end - _DEFAULT_PERIOD
    if begin >= end:
        raise click.UsageError("--from must be before --to")
    if as_csv and as_json:
        raise click.UsageError("--csv or --json, not both")
    found = await report_calls(session.db, begin, end, by, zone=zone)
    if as_csv:
        click.echo(report_texts.as_csv(found, by, columns), nl=False)
        return
    names = report_texts.columns_of(by, columns)
    texts = [report_texts.texts_of(row, by) for row in found]
    shown = [{name: each[name] for name in names} for each in texts]
    print_list(shown, as_json=as_json, nothing="no calls ended in this time")


@report.command()
@click.option(
    "--month", metavar="YYYY-MM", help="In each customer's time zone; else the present one."
)
@click.option(
    "--only", type=click.Choice(("above", "below")), help="Customers above or below their target."
)
@json_option
@with_database
async def target(session: Session, month: str | None, only: str | None, as_json: bool) -> None:
    """Minutes of a month beside the traffic expected of each customer.

    \b
    Example:
      agi-server report target --only below
      agi-server report target --month 2026-03 --json
    """
    try:
        first = datetime.strptime(month or session.now.strftime("%Y-%m"), "%Y-%m").date()
    except ValueError:
        raise click.BadParameter("must be a month like 2026-03", param_hint="--month") from None
    shown = [
        {
            "id": each.account_id,
            "account_number": mask_account_number(each.account_number),
            "minutes": each.minutes,
            "traffic_per_month": each.expected_minutes,
            "target_traffic": each.target_traffic,
            "reached": each.reached,
        }
        for each in await traffic_targets(session.db, first)
        if only is None or each.reached == (only == "above")
    ]
    print_list(shown, as_json=as_json, nothing="no customers with a traffic per month")
