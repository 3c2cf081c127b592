"""An operator ends a call of a real Asterisk through the API, which does as the console does."""

import httpx
import pytest
from exchange import DECISION, Exchange
from sip_scenarios import Answers
from sipp import callee, calling

from agi_server.calls.records import list_calls
from agi_server.web.auth.operators import create_operator, create_token
from agi_server.web.auth.roles import Role


@pytest.fixture
async def token(exchange: Exchange) -> str:
    """Of an administrator."""
    pool, at = exchange.business.pool, exchange.business.now()
    await create_operator(
        pool, "alice", role=Role.ADMIN, group=None, password="correct horse battery", at=at
    )
    return await create_token(pool, "alice", "test", at=at)


async def test_an_operator_hangs_up_a_call_which_is_settled_once(
    exchange: Exchange, token: str
) -> None:
    await exchange.kill_daemon()
    exchange.settings = {"AGI_SERVER_WEB__ENABLED": "true", "AGI_SERVER_WEB__PORT": "0"}
    await exchange.start_daemon()
    (started,) = await exchange.daemon.logged("web.started")
    customer = await exchange.customer(1, DECISION)
    async with (
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{started['port']}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
        ) as client,
        callee(exchange.asterisk, "gw", Answers()) as gw,
        calling(exchange.asterisk, customer.number, user=customer.user),
    ):
        await gw.answered()
        await exchange.logged("call.answered", account_id=customer.account.id)
        (call,) = (await client.get("/calls/live")).json()["calls"]
        assert customer.account.id == call["customer"]
        assert 202 == (await client.post(f"/calls/{call['call_id']}/hang-up")).status_code
        await gw.ended()
        await exchange.logged("call.settled", account_id=customer.account.id)
        assert 409 == (await client.post(f"/calls/{call['call_id']}/hang-up")).status_code
    (record,) = await list_calls(exchange.business.pool, account_id=customer.account.id)
    charges = await exchange.business.charges(customer.account)
    assert [("customer", record.cost_micros)] == charges
    await exchange.assert_nothing_reserved(customer)
