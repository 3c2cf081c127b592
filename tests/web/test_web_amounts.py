"""Amounts as operators type them: a decimal comma where it is clear, thousands nowhere."""

from collections.abc import Callable

import pytest
from web_client import Browser, Web

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.campaigns import create_campaign

Browse = Callable[[], Browser]
MICROS = 1_000_000
THOUSANDS = "a comma before three digits may mean thousands"


@pytest.fixture
async def admin(web: Web, browse: Browse) -> Browser:
    """Signed in as an administrator."""
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


@pytest.mark.parametrize("amount", ["1,000", "1,000,000", "12,345.50", "0,125"])
async def test_what_may_mean_thousands_is_refused_in_place_by_every_form_of_money(
    web: Web, admin: Browser, amount: str
) -> None:
    await create_campaign(web.business.pool, "spring")
    account = await web.business.customer(MICROS, campaign="spring")
    form = {"amount": amount, "reference": "form-1", "note": "x", "confirmed": "yes"}
    for path in (
        f"/customers/{account.id}/refill",
        f"/customers/{account.id}/pay",
        f"/customers/{account.id}/correct",
        "/campaigns/spring/refill",
    ):
        answer = await admin.post(path, form)
        assert (422, True) == (answer.status_code, THOUSANDS in answer.text), path
        assert f'value="{amount}"' in answer.text
    for name in ("refill", "credit_limit", "initial_balance"):
        answer = await admin.post("/customers/new", {name: amount})
        assert (422, 1) == (answer.status_code, answer.text.count(THOUSANDS)), name
        assert f'value="{amount}"' in answer.text
    path = f"/customers/{account.id}/edit"
    answer = await admin.post(path, {"credit_limit": amount, "seen": ""})
    assert (422, 1) == (answer.status_code, answer.text.count(THOUSANDS))
    assert MICROS == (await web.business.account(account)).balance_micros
    assert 1 == await web.business.pool.fetchval("SELECT count(*) FROM account")


@pytest.mark.parametrize(
    ("amount", "micros"),
    [("12,50", 12_500_000), ("0,5", 500_000), ("1,0000", MICROS), ("1.000", MICROS)],
)
async def test_a_decimal_comma_is_the_same_for_refill_first_credit_and_credit_limit(
    web: Web, admin: Browser, amount: str, micros: int
) -> None:
    account = await web.business.customer(0)
    form = {"amount": amount, "reference": "form-1"}
    assert 303 == (await admin.post(f"/customers/{account.id}/refill", form)).status_code
    assert micros == (await web.business.account(account)).balance_micros
    new = {"refill": amount, "credit_limit": amount, "payment_type": "postpaid"}
    assert 201 == (await admin.post("/customers/new", new)).status_code
    row = await web.business.pool.fetchrow(
        "SELECT balance_micros, credit_limit_micros, status FROM account ORDER BY id DESC LIMIT 1"
    )
    assert (micros, micros, AccountStatus.ACTIVE) == tuple(row.values())
