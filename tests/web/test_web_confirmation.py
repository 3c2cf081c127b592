"""Confirmation links: shown to operators, followed by customers, in the customer's language."""

import re
from collections.abc import Callable
from datetime import timedelta

from web_client import Browser, Web

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.audit import list_changes
from agi_server.accounts.confirmation import VALID
from support.business import MICROS
from support.channel import Channel
from support.clock import Clock
from support.event_log import EventLog

Browse = Callable[[], Browser]


async def link_of(operator: Browser, account_id: int) -> str:
    """The path of the link that an operator is shown."""
    shown = (await operator.post(f"/customers/{account_id}/confirmation-link")).text
    found = re.search(r'<code id="confirmation-link">http://[^/]+(/confirm/[\w-]+)</code>', shown)
    assert found is not None
    return found[1]


async def test_a_customer_who_follows_the_link_can_call_and_opening_it_alone_changes_nothing(
    web: Web, browse: Browse, clock: Clock, events: EventLog
) -> None:
    account = await web.business.customer(
        MICROS, status=AccountStatus.UNCONFIRMED, email="ann@example.com", language="fr-CA"
    )
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    await web.operator()
    operator, customer = browse(), browse()
    await operator.sign_in()
    link = await link_of(operator, account.id)
    assert events.of("web.link_shown", operator="alice", account_id=account.id)
    opened = await customer.get(link)
    assert "Confirmez votre compte" in opened.text
    assert "account_unconfirmed" == (await phone.authorize()).reason
    for _ in range(2):
        assert "votre compte est confirmé" in (await customer.post(link)).text
    assert (await phone.authorize()).allowed
    now = await web.business.account(account)
    assert (AccountStatus.ACTIVE, True) == (now.status, now.signup_confirmed)
    (change,) = await list_changes(web.business.pool, account.id, field="status")
    assert ("confirmation link", "followed the link in the confirmation mail") == (
        change.changed_by,
        change.reason,
    )


async def test_an_account_that_waits_again_is_confirmed_by_a_new_link_and_not_by_a_used_one(
    web: Web, browse: Browse, clock: Clock
) -> None:
    account = await web.business.customer(
        MICROS, status=AccountStatus.UNCONFIRMED, email="ann@example.com"
    )
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    await web.operator()
    operator, customer = browse(), browse()
    await operator.sign_in()
    used = []
    for _ in range(3):
        web.business.now.advance(60)
        await web.business.set(account, status=AccountStatus.UNCONFIRMED)
        link = await link_of(operator, account.id)
        for old in used:
            for answer in (await customer.get(old), await customer.post(old)):
                assert (404, True) == (answer.status_code, "was used before" in answer.text)
        assert "account_unconfirmed" == (await phone.authorize()).reason
        assert "then you can call" in (await customer.get(link)).text
        assert "You can call now" in (await customer.post(link)).text
        assert AccountStatus.ACTIVE == (await web.business.account(account)).status
        used.append(link)
    await web.business.set(account, status=AccountStatus.SUSPENDED)
    for link in used:
        assert "was used before" in (await customer.post(link)).text
    assert AccountStatus.SUSPENDED == (await web.business.account(account)).status


async def test_a_link_that_expired_was_altered_or_is_of_nobody_confirms_nothing(
    web: Web, browse: Browse, events: EventLog
) -> None:
    account = await web.business.customer(status=AccountStatus.UNCONFIRMED, email="a@example.com")
    await web.operator()
    operator, customer = browse(), browse()
    await operator.sign_in()
    link = await link_of(operator, account.id)
    for wrong in (link[:-3] + "xxx", "/confirm/99" + link[9:], "/confirm/x", "/confirm/%00"):
        assert 404 == (await customer.get(wrong)).status_code
        assert 404 == (await customer.post(wrong)).status_code
    web.business.now.advance((VALID + timedelta(seconds=1)).total_seconds())
    assert "expired" in (await customer.post(link)).text
    assert AccountStatus.UNCONFIRMED == (await web.business.account(account)).status
    assert events.of("web.refused", what="confirmation")
    assert link[9:] not in str(events.events)


async def test_there_is_a_link_only_for_an_account_with_an_address_that_waits_for_it(
    web: Web, browse: Browse
) -> None:
    active = await web.business.customer(email="a@example.com")
    without = await web.business.customer(status=AccountStatus.UNCONFIRMED)
    await web.operator()
    operator = browse()
    await operator.sign_in()
    for account in (active, without):
        path = f"/customers/{account.id}"
        assert "confirmation-link" not in (await operator.get(path)).text
        assert 409 == (await operator.post(f"{path}/confirmation-link")).status_code
