"""Lists and reports stay quick: they read little of the many calls that others made."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from agi_server.accounts.groups import create_group
from agi_server.calls.reports import REPORT_SETTINGS
from agi_server.storage.postgres.pool import open_pool
from agi_server.storage.postgres.statements import statement
from agi_server.web import call_lists
from agi_server.web.auth.roles import Operator, Role
from agi_server.web.call_lists import list_calls
from support.business import Business

CALLS = 12_000
PAGE = 51

_FILL = """
INSERT INTO call_session (account_id, call_id, state, reason, server, uniqueid, channel, callerid,
    dialled, destination, authorized_at, currency, prefix, version_id, trunk_ids, route, talk_ms,
    billed_seconds, cost_micros, buy_cost_micros)
SELECT {account}, {account} || '-' || md5(n::text),
       CASE WHEN n % 5 = 0 THEN 'denied' ELSE 'settled' END,
       CASE WHEN n % 5 = 0 THEN 'no_credit' END, '127.0.0.1', 'x-' || n, 'PJSIP/x', '', '44', '44',
       timestamptz '{now}' - (n + {older}) * interval '1 second', 'USD', '44', 1, ARRAY[1, 2], 1,
       1000, 1, 0, 500
FROM generate_series(1, {calls}) n
"""


def reseller(group: str, group_id: int) -> Operator:
    return Operator(
        id=1, name="bob", role=Role.RESELLER, group_id=group_id, group=group, language="en",
        timezone="UTC",
    )  # fmt: skip


@pytest.fixture
async def quiet(business: Business) -> Operator:
    """The reseller of a group whose only call is older than all of a busy customer's."""
    group = await create_group(business.pool, "quiet")
    busy = await business.customer()
    calm = await business.customer(group="quiet")
    now = business.now()
    await business.tamper(
        _FILL.format(account=busy.id, now=now, older=0, calls=CALLS),
        _FILL.format(account=calm.id, now=now, older=CALLS, calls=1),
    )
    await business.as_owner("VACUUM ANALYZE")
    return reseller("quiet", group.id)


async def plan_of(business: Business, name: str, *arguments: Any) -> list[dict[str, Any]]:
    """The nodes of a statement's plan, as the console has it planned, after it was done."""
    async with (
        open_pool(business.postgres_dsn, max_size=1, plan="each") as pool,
        pool.acquire() as db,
        db.transaction(),
    ):
        for setting in REPORT_SETTINGS if name.startswith("reports/") else ():
            await db.execute(setting)
        (text,) = await db.fetchrow(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement(name)}", *arguments)
    return list(_nodes(json.loads(text)[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for each in node.get("Plans", ()):
        yield from _nodes(each)


def calls_read(nodes: list[dict[str, Any]]) -> int:
    """How many calls a plan looked at."""
    return sum(
        round(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
        for node in nodes
        if node.get("Relation Name") == "call_session"
    )


@pytest.mark.parametrize("small_group", [50, 0])
async def test_the_only_call_of_a_group_is_found_behind_all_newer_ones(
    business: Business, quiet: Operator, monkeypatch: pytest.MonkeyPatch, small_group: int
) -> None:
    monkeypatch.setattr(call_lists, "_SMALL_GROUP", small_group)
    (own,) = await business.pool.fetch("SELECT id FROM account WHERE group_id IS NOT NULL")
    found, more = await list_calls(business.pool, quiet)
    assert ([own["id"]], None) == ([row["account_id"] for row in found], more)
    assert ([], None) == await list_calls(business.pool, quiet, reason="no_rate")


async def test_a_page_of_a_group_reads_a_bounded_part_of_all_calls(
    business: Business, quiet: Operator
) -> None:
    chosen = (quiet.group_id, None, None, None, None)
    newest = await plan_of(business, "web/newest_calls", *chosen, 500, PAGE)
    assert calls_read(newest) < 500 + PAGE
    own = await plan_of(business, "web/calls_of_accounts", *chosen, PAGE, None)
    assert calls_read(own) == 1


@pytest.mark.parametrize("reason", ["no_credit", "no_rate"])
async def test_refused_calls_are_found_by_reason_without_reading_those_put_through(
    business: Business, quiet: Operator, reason: str
) -> None:
    busy = await business.pool.fetchval("SELECT id FROM account WHERE group_id IS NULL")
    nodes = await plan_of(
        business, "web/calls_of_accounts", None, None, reason, None, None, PAGE, busy
    )
    assert calls_read(nodes) < 2 * PAGE


@pytest.mark.parametrize("by", ["day", "destination", "trunk", "account", "group"])
async def test_a_report_reads_what_it_adds_up_from_its_index_alone(
    business: Business, quiet: Operator, by: str
) -> None:
    now = business.now()
    begin = now - timedelta(hours=1)
    nodes = await plan_of(business, "reports/calls", begin, now, by, "UTC", None, "minutes", None)
    assert {("Index Only Scan", "call_session_ended")} == {
        (node["Node Type"], node.get("Index Name"))
        for node in nodes
        if node.get("Relation Name") == "call_session"
    }
