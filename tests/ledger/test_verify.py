"""`ledger verify` finds every figure that is not what its parts add up to, and names it."""

import pytest

from agi_server.tariffs.packages import create_package
from agi_server.tariffs.plans import create_plan
from rating.package import PackageUnit
from rating.rate import Rate
from support.business import MICROS, Business
from support.channel import Channel
from support.clock import Clock
from support.daemons import Daemon
from support.fixtures import StartDaemon


@pytest.fixture
async def sound_books(business: Business, daemon: Daemon, clock: Clock) -> int:
    """The id of an account with a settled call and an open one."""
    account = await business.customer(10 * MICROS)
    for settled in (True, False):
        phone = Channel(daemon.port, clock, accountcode=account.account_number)
        assert (await phone.authorize()).allowed
        if settled:
            clock.advance(30)
            await phone.settle(5000)
    return account.id


@pytest.mark.parametrize(
    ("damage", "mend", "what"),
    [
        ("balance_micros = balance_micros - 1", "balance_micros = balance_micros + 1", "balance"),
        ("held_micros = held_micros - 1", "held_micros = held_micros + 1", "held"),
        ("open_calls = open_calls + 1", "open_calls = open_calls - 1", "calls in progress"),
        ("open_forwards = 1", "open_forwards = 0", "forwarded calls"),
    ],
)
async def test_a_stored_figure_that_was_tampered_with_is_named(
    business: Business, sound_books: int, damage: str, mend: str, what: str
) -> None:
    assert [] == await business.mismatches()
    await business.pool.execute(f"UPDATE account SET {damage}")  # noqa: S608
    (found,) = await business.mismatches()
    assert (sound_books, what) == (found.account_id, found.what)
    await business.pool.execute(f"UPDATE account SET {mend}")  # noqa: S608


async def test_a_call_whose_cost_is_not_what_was_charged_is_named(
    business: Business, sound_books: int
) -> None:
    settled = "state = 'settled'"
    await business.tamper(f"UPDATE call_session SET cost_micros = 4000 WHERE {settled}")  # noqa: S608
    (found,) = await business.mismatches()
    assert found.what.startswith(f"charge of call {sound_books}-")
    assert ("0.004", "0.005") == (found.stored, found.recomputed)
    await business.tamper(f"UPDATE call_session SET cost_micros = 5000 WHERE {settled}")  # noqa: S608


async def test_a_counter_of_a_package_that_is_not_what_its_calls_took_is_named(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await create_package(business.pool, "bundle", PackageUnit.SECONDS, 60)
    await business.card("sold", [Rate(prefix="44", price_micros_per_minute=60_000)], ("gw",))
    await create_plan(business.pool, "sold", ["sold"], packages=["bundle"])
    account = await business.customer(plan="sold")
    phone = Channel((await start_daemon()).port, clock, accountcode=account.account_number)
    await phone.authorize()
    assert [] == await business.mismatches()
    await business.pool.execute("UPDATE package_use SET taken = taken - 1")
    (found,) = await business.mismatches()
    begins_on = business.now().replace(day=1).date()
    assert (account.id, f"taken of package bundle from {begins_on}", "59", "60") == (
        found.account_id, found.what, found.stored, found.recomputed,
    )  # fmt: skip
    await business.pool.execute("DELETE FROM package_use")
    assert ["0"] == [each.stored for each in await business.mismatches()]
    await phone.settle()


async def test_an_entry_of_a_call_that_was_not_settled_is_named(
    business: Business, sound_books: int
) -> None:
    await business.tamper("UPDATE call_session SET state = 'void' WHERE state = 'settled'")
    (found,) = await business.mismatches()
    assert ("0", "0.005") == (found.stored.rstrip("0").rstrip(".") or "0", found.recomputed)
    await business.tamper("UPDATE call_session SET state = 'settled' WHERE state = 'void'")


async def test_charges_that_are_wrong_but_add_up_are_named(
    business: Business, daemon: Daemon, clock: Clock
) -> None:
    account = await business.customer(10 * MICROS)
    calls = []
    for talk_ms in (5000, 7000):
        phone = Channel(daemon.port, clock, accountcode=account.account_number)
        calls.append((await phone.authorize()).call)
        clock.advance(30)
        await phone.settle(talk_ms)
    swap = "UPDATE call_session SET cost_micros = 12000 - cost_micros"
    await business.tamper(swap)
    assert {f"charge of call {call}" for call in calls} == {
        each.what for each in await business.mismatches()
    }
    await business.tamper(swap)


async def test_a_running_balance_that_was_tampered_with_is_named_with_its_entries(
    business: Business, clock: Clock
) -> None:
    account = await business.customer(0)
    for number in (1, 2, 3):
        await business.refill(account, MICROS, f"refill:{number}")
        clock.advance(1)
    tampered = "UPDATE ledger_entry SET balance_micros = balance_micros {} WHERE movement_id = '{}'"
    await business.tamper(tampered.format("+ 5", "refill:2"))
    found = [(each.what, each.stored, each.recomputed) for each in await business.mismatches()]
    between = "running balance after entry refill:{} and before entry refill:{}"
    assert [
        (between.format(1, 2), "1.00", "1.000005"),
        (between.format(2, 3), "2.000005", "2.00"),
    ] == found
    await business.tamper(tampered.format("- 5", "refill:2"))


async def test_an_entry_that_was_removed_is_missed(business: Business, clock: Clock) -> None:
    account = await business.customer(0)
    for number in (1, 2, 3):
        await business.refill(account, MICROS, f"refill:{number}")
        clock.advance(1)
    await business.tamper(
        "CREATE TABLE kept AS SELECT * FROM ledger_entry WHERE movement_id = 'refill:2'",
        "DELETE FROM ledger_entry WHERE movement_id = 'refill:2'",
    )
    found = {each.what for each in await business.mismatches()}
    assert {"balance", "running balance after entry refill:1 and before entry refill:3"} <= found
    await business.tamper("INSERT INTO ledger_entry SELECT * FROM kept", "DROP TABLE kept")


async def test_an_entry_that_does_not_move_anything_is_named(
    business: Business, sound_books: int
) -> None:
    check = "ALTER TABLE ledger_entry {} CONSTRAINT ledger_entry_check"
    await business.tamper(
        check.format("DROP"),
        "UPDATE ledger_entry SET debit = 'customer' WHERE kind = 'refill'",
    )
    found = {each.what: each.stored for each in await business.mismatches()}
    (entry,) = (what for what in found if what.startswith("entry "))
    assert "10.00 from customer to customer" == found[entry]
    await business.tamper(
        "UPDATE ledger_entry SET debit = 'refills' WHERE kind = 'refill'",
        check.format("ADD") + " CHECK (debit <> credit)",
    )


async def test_an_entry_in_another_currency_than_its_account_is_named(
    business: Business, sound_books: int
) -> None:
    currency = "UPDATE ledger_entry SET currency = '{}' WHERE kind = 'refill'"
    await business.tamper(currency.format("EUR"))
    (found,) = await business.mismatches()
    assert (sound_books, "EUR", "USD") == (found.account_id, found.stored, found.recomputed)
    assert found.what.startswith("currency of entry refill:")
    await business.tamper(currency.format("USD"))


async def test_an_account_whose_currency_is_not_that_of_its_entries_is_named(
    business: Business, sound_books: int
) -> None:
    await business.tamper("UPDATE account SET currency = 'EUR'")
    found = [(each.what, each.stored, each.recomputed) for each in await business.mismatches()]
    assert [("currency", "EUR", "USD")] == found
    await business.tamper("UPDATE account SET currency = 'USD'")


async def test_entries_of_an_account_that_is_gone_are_named(business: Business) -> None:
    account = await business.customer(MICROS)
    await business.tamper("CREATE TABLE kept AS SELECT * FROM account", "DELETE FROM account")
    found = {(each.account_id, each.what, each.stored) for each in await business.mismatches()}
    assert (account.id, "account", "missing") in found
    await business.tamper(
        "INSERT INTO account OVERRIDING SYSTEM VALUE SELECT * FROM kept", "DROP TABLE kept"
    )


async def test_verify_reads_one_moment_while_calls_go_on(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    import asyncio

    daemon = await start_daemon()
    account = await business.customer(1000 * MICROS)
    done = asyncio.Event()

    async def calls() -> None:
        for _ in range(25):
            phone = Channel(daemon.port, clock, accountcode=account.account_number)
            await phone.authorize()
            await phone.settle(1000)

    async def verifies() -> int:
        times = 0
        while not done.is_set():
            assert [] == await business.mismatches()
            times += 1
        return times

    verifying = asyncio.create_task(verifies())
    await asyncio.gather(*(calls() for _ in range(4)))
    done.set()
    assert await verifying > 1
