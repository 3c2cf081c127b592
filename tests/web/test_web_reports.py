"""Reports on the pages: each figure by each way of adding up, and as CSV."""

import csv
import re
from collections.abc import Callable
from datetime import date
from io import StringIO

import pytest
from web_client import Browser, Web

from agi_server.accounts.campaigns import create_campaign
from agi_server.accounts.groups import create_group
from agi_server.web.auth.roles import Role
from agi_server.web.console.chart import HEIGHT, WIDTH, day_chart
from agi_server.web.console.formats import calendar_day
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock

Browse = Callable[[], Browser]


@pytest.fixture
async def called(web: Web, clock: Clock) -> None:
    """An answered call of an office, of a minute; one of somebody else that was not answered."""
    await create_group(web.business.pool, "offices")
    await create_campaign(web.business.pool, "spring")
    for group, campaign, talk_ms in (("offices", "spring", 60_000), (None, None, None)):
        account = await web.business.customer(
            MICROS, group=group, campaign=campaign, last_name=f"Of {group}"
        )
        phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
        await phone.authorize()
        clock.advance(70)
        await phone.settle(talk_ms)


async def test_each_report_has_a_table_a_chart_of_each_figure_and_all_as_csv(
    web: Web, browse: Browse, called: None, clock: Clock
) -> None:
    await web.operator()
    admin = browse()
    await admin.sign_in()
    day = calendar_day(clock().date(), "en")
    for by in ("day", "destination", "trunk", "account", "group", "campaign"):
        for measure in ("minutes", "revenue", "cost", "margin", "asr", "acd"):
            shown = await admin.get(f"/reports?by={by}&measure={measure}")
            assert 200 == shown.status_code
            has_chart = "<rect" in shown.text
            assert has_chart == (measure != "cost")  # what is sold here costs nothing
        assert "$0.06" in shown.text
        assert (by == "day") == bool(re.search(rf">\s*{day}\s*</td>", shown.text))
        answer = await admin.get(f"/reports/calls.csv?by={by}")
        assert "text/csv; charset=utf-8" == answer.headers["content-type"]
        rows = list(csv.DictReader(StringIO(answer.text)))
        assert 2 == sum(int(row["dialled"]) for row in rows)
        assert ["0.06"] == [row["revenue"] for row in rows if row["answered"] == "1"]
        assert "1:00" in {row["acd"] for row in rows}


async def test_a_reseller_reads_of_the_own_group_only_and_not_what_carriers_are_paid(
    web: Web, browse: Browse, called: None
) -> None:
    await web.operator("bob", Role.RESELLER, group="offices")
    reseller = browse()
    await reseller.sign_in("bob")
    shown = (await reseller.get("/reports?by=account&measure=margin")).text
    assert "Of offices" in shown
    assert "Of None" not in shown
    for word in ("Margin", "margin", "trunk"):
        assert word not in shown
    (row,) = csv.DictReader(
        StringIO((await reseller.get("/reports/calls.csv?by=trunk&measure=cost")).text)
    )
    assert {"day", "dialled", "answered", "refused", "asr_percent", "minutes", "acd", "revenue",
            "currency"} == set(row)  # fmt: skip


async def test_days_without_calls_say_so_and_days_that_are_none_are_refused(
    web: Web, browse: Browse
) -> None:
    await web.operator()
    admin = browse()
    await admin.sign_in()
    empty = await admin.get("/reports?first=2026-01-01&last=2026-01-31")
    assert "No call ended in these days" in empty.text
    for query in (
        "first=soon", "first=2026-02-01&last=2026-01-01", "first=2020-01-01",
        "first=9999-12-31&last=9999-12-31", "first=0001-01-01&last=0001-01-01", "last=0001-01-01",
    ):  # fmt: skip
        assert 422 == (await admin.get(f"/reports?{query}")).status_code
        assert 422 == (await admin.get(f"/reports/calls.csv?{query}")).status_code
    swapped = (await admin.get("/reports?first=2026-02-01&last=2026-01-01")).text
    assert 'id="e-first" role="alert">the first day comes before the last' in swapped
    assert all(f'value="{day}"' in swapped for day in ("2026-02-01", "2026-01-01"))


def test_bars_stand_on_the_line_of_nothing_losses_below_it() -> None:
    days = {date(2026, 3, 1): 300, date(2026, 3, 4): -100, date(2026, 3, 9): 7}
    chart = day_chart(days, date(2026, 3, 1), date(2026, 3, 4))
    gain, loss = chart.bars
    assert (-100, 300, HEIGHT * 0.75) == (chart.lowest, chart.highest, chart.zero)
    assert (0, HEIGHT * 0.75) == (gain.y, gain.height)
    assert (HEIGHT * 0.75, HEIGHT * 0.25) == (loss.y, loss.height)
    assert gain.x + gain.width <= WIDTH / 4
    assert loss.x >= WIDTH * 3 / 4
    assert None is day_chart({}, date(2026, 3, 1), date(2026, 3, 1)).zero
