"""A trunk carries only so many calls at a time; a full one gives way to the next route."""

from redis.asyncio import Redis

from agi_server.calls.slot_repair import SlotRepair
from agi_server.tariffs import plans, trunks
from rating.rate import Rate
from support.business import MICROS, Business, nothing_reserved
from support.channel import Channel, Dialled
from support.checker import slots
from support.clock import Clock
from support.fixtures import StartDaemon
from support.wire_proxy import Proxy


def carrier(answer: str) -> str:
    return answer.rpartition("@")[2]


async def test_a_full_trunk_gives_way_to_the_next_and_at_last_there_is_no_route(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=2)
    await trunks.change_trunk(business.pool, "backup", capacity=1)
    daemons = [await start_daemon(), await start_daemon()]
    account = await business.customer(100 * MICROS)
    phones = [
        Channel(daemons[n % 2].port, clock, accountcode=account.account_number) for n in range(5)
    ]
    answers = [await phone.authorize() for phone in phones[:4]]
    assert ["gw", "gw", "backup", ""] == [carrier(answer.dial) for answer in answers]
    assert [2, 2, 1, 0] == [answer.routes for answer in answers]
    assert "no_route" == answers[3].reason
    assert 3 == (await business.account(account)).in_use
    clock.advance(30)
    await phones[0].settle(1000)
    assert "gw" == carrier((await phones[4].authorize()).dial)
    for phone in (phones[1], phones[2], phones[4]):
        await phone.settle()
    assert await nothing_reserved(business, account)


async def test_whoever_settles_frees_the_trunk(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=1)
    here, there = await start_daemon(), await start_daemon()
    account = await business.customer()
    phone = Channel(here.port, clock, accountcode=account.account_number)
    for _ in range(3):
        assert "gw" == carrier((await phone.authorize()).dial)
        phone.port = there.port
        await phone.settle()
        phone.port = here.port


async def test_a_refused_call_leaves_its_trunk(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=1)
    daemon = await start_daemon()
    locked = await business.customer()
    other = await business.customer()
    phone = Channel(daemon.port, clock, accountcode=locked.account_number)

    async def lock_meanwhile() -> None:
        # Another call takes the funds between our read and our hold.
        await business.as_owner(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'no'; END $$",
            "CREATE TRIGGER refuse BEFORE INSERT ON call_session"
            f" FOR EACH ROW WHEN (NEW.account_id = {locked.id} AND NEW.state = 'open')"
            " EXECUTE FUNCTION refuse()",
        )

    await lock_meanwhile()
    assert "unavailable" == (await phone.authorize()).reason
    while True:  # what is not known to have failed is taken back beside the call
        next_phone = Channel(daemon.port, clock, accountcode=other.account_number)
        if carrier((await next_phone.authorize()).dial) == "gw":
            break
        await next_phone.settle()
    await next_phone.settle()


async def test_without_redis_no_capacity_is_counted(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=1)
    daemon = await start_daemon(redis_url="unix:///nowhere/valkey.sock")
    account = await business.customer()
    for _ in range(3):
        phone = Channel(daemon.port, clock, accountcode=account.account_number)
        assert "gw" == carrier((await phone.authorize()).dial)


async def test_a_trunk_whose_calls_redis_forgot_is_full_again_after_a_round_of_repair(
    business: Business, start_daemon: StartDaemon, clock: Clock, repair: SlotRepair
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=2)
    await trunks.change_trunk(business.pool, "backup", capacity=1)
    daemon = await start_daemon()
    account = await business.customer(100 * MICROS)
    phones = [Channel(daemon.port, clock, accountcode=account.account_number) for _ in range(4)]
    assert ["gw", "gw", "backup"] == [
        carrier((await phone.authorize()).dial) for phone in phones[:3]
    ]
    async with Redis.from_url(business.redis_url) as redis:
        await redis.flushall()
    await repair.mend_all(0)
    assert "no_route" == (await phones[3].authorize()).reason
    await phones[0].settle()
    assert "gw" == carrier((await phones[3].authorize()).dial)
    await repair.mend_all(0)
    for phone in phones[1:]:
        await phone.settle()
    assert {} == await slots(business.redis_url)


async def test_a_call_that_went_on_to_the_next_trunk_is_not_put_back_on_the_first(
    business: Business, start_daemon: StartDaemon, clock: Clock, repair: SlotRepair
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=1)
    daemon = await start_daemon()
    account = await business.customer()
    phone = Channel(
        daemon.port,
        clock,
        accountcode=account.account_number,
        dials=[Dialled(status="CHANUNAVAIL"), Dialled(talk_ms=5000)],
    )
    seen = []

    async def meanwhile(command: list[str]) -> bytes:
        await repair.mend_all(0)
        other = Channel(daemon.port, clock, accountcode=account.account_number)
        seen.append(carrier((await other.authorize()).dial))
        await other.settle()
        return phone.react(command)

    phone.on("EXEC Dial", meanwhile)
    await phone.call()
    assert ["backup", "gw"] == seen
    assert {} == await slots(business.redis_url)


async def test_only_a_trunk_with_a_capacity_costs_a_second_round_trip(
    business: Business,
    start_daemon: StartDaemon,
    clock: Clock,
    postgres_proxy: Proxy,
    redis_proxy: Proxy,
) -> None:
    await trunks.change_trunk(business.pool, "gw", capacity=5)
    daemon = await start_daemon(
        postgres_proxy.address, redis_proxy.address, postgres={"pool_size": 1}
    )
    account = await business.customer()
    trips: list[tuple[int, int]] = []
    # The first time statements are prepared and scripts loaded; the daemon's own work may fall into
    # any of them.
    for _ in range(4):
        phone = Channel(daemon.port, clock, accountcode=account.account_number)
        before = postgres_proxy.rounds, redis_proxy.rounds
        assert (await phone.authorize()).allowed
        trips.append((postgres_proxy.rounds - before[0], redis_proxy.rounds - before[1]))
        clock.advance(10)
        await phone.settle(1000)
    assert (2, 2) == min(trips)


async def test_the_call_route_moves_from_trunk_to_trunk(
    business: Business, start_daemon: StartDaemon, clock: Clock
) -> None:
    await trunks.change_trunk(business.pool, "backup", capacity=1)
    rate = Rate(prefix="44", price_micros_per_minute=60_000)
    await business.card("direct", [rate], ("backup",))
    await plans.create_plan(business.pool, "direct", ["direct"])
    daemon = await start_daemon()
    account = await business.customer()
    other = await business.customer(plan="direct")

    async def dialled() -> list[str]:
        dials = [Dialled(status="CHANUNAVAIL"), Dialled(talk_ms=5000)]
        phone = Channel(daemon.port, clock, accountcode=account.account_number, dials=dials)
        await phone.call()
        return [carrier(target) for target, _, _ in phone.dialled()]

    assert ["gw", "backup"] == await dialled()
    assert ["gw", "backup"] == await dialled()  # the trunk was left
    talking = Channel(daemon.port, clock, accountcode=other.account_number)
    assert "backup" == carrier((await talking.authorize()).dial)
    assert ["gw"] == await dialled()  # somebody else is on the second trunk
    await talking.settle()
    assert ["gw", "backup"] == await dialled()
