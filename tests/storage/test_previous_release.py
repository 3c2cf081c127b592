"""The previous release goes on working on the new schema, until the last daemon is replaced."""

from pathlib import Path
from typing import Any

from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel
from support.clock import Clock
from support.fixtures import StartDaemon

STATEMENTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in (Path(__file__).parent / "previous_release").glob("*.sql")
}
"""The statements of the release before migration 0002, where this one has others."""


def previous(name: str) -> str:
    return STATEMENTS[name]


async def test_its_statements_are_understood(business: Business) -> None:
    for name in STATEMENTS:
        await business.pool.execute(f"PREPARE previous AS {previous(name)}; DEALLOCATE previous")


async def hold(business: Business, account: Any, phone: Channel) -> str:
    """A call that a daemon of the previous release has authorized."""
    (card, *_) = await business.pool.fetch(previous("tariffs.load_cards"))
    call_id = f"{account.id}-{'0' * 32}"
    now = business.now()
    opened = await business.pool.fetchval(
        previous("calls.take_hold"),
        account.id, call_id, 60_000, now, "127.0.0.1", phone.uniqueid, phone.name, "accountcode",
        "", "442079460000", "442079460000", now, 60_000, "USD", card["plan_id"],
        card["version_id"], "44", None, card["trunk_ids"],
    )  # fmt: skip
    assert 1 == opened
    return call_id


async def test_a_call_that_it_authorized_is_settled_by_this_one(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon()
    account = await business.customer(MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    call_id = await hold(business, account, phone)
    clock.advance(30)
    await phone.settle(10_000, call=call_id)
    assert [("customer", 10_000)] == await business.charges(account)
    assert await nothing_reserved(business, account)


async def test_a_call_that_this_one_authorized_is_read_and_settled_by_it(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    daemon = await start_daemon()
    account = await business.customer(MICROS)
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    call_id = (await phone.authorize()).call
    row = await business.pool.fetchrow(previous("calls.read_session"), account.id, call_id)
    assert ("open", 60_000) == (row["state"], row["price_micros_per_minute"])
    await phone.settle()


async def test_what_it_activates_is_in_force(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    pool, now = business.pool, business.now()
    card_id = await pool.fetchval("SELECT id FROM rate_card WHERE name = 'retail'")
    row = await pool.fetchrow(previous("tariffs.insert_version"), card_id, "old.csv", "x", now)
    await pool.execute(
        "INSERT INTO rate (version_id, prefix, destination, price_micros_per_minute, initial_s,"
        " increment_s) VALUES ($1, '44', 'UK', 120000, 1, 1)",
        row["id"],
    )
    clock.advance(1)
    await pool.execute(previous("tariffs.deactivate_versions"), card_id, row["version"])
    await pool.fetchval(
        previous("tariffs.activate_version"), card_id, row["version"], business.now()
    )
    account = await business.customer(MICROS)
    daemon = await start_daemon()
    phone = Channel(daemon.port, clock, accountcode=account.account_number)
    assert 500_000 == (await phone.authorize()).limit_ms
    await phone.settle()
