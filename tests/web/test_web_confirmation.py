"""Confirmation links: shown to operators, followed by customers, in the customer's language."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from web_client import Browser, Web, typed_in

from agi_server.accounts.account import AccountStatus
from agi_server.accounts.audit import list_changes
from agi_server.accounts.bulk_change import change_accounts, look_at_change
from agi_server.accounts.confirmation import VALID
from agi_server.editor import Editor
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


async def test_a_link_is_good_for_one_time_of_waiting_however_the_account_left_it(
    web: Web, browse: Browse, clock: Clock
) -> None:
    account = await web.business.customer(
        MICROS, status=AccountStatus.UNCONFIRMED, email="ann@example.com"
    )
    phone = Channel(web.fastagi_port, clock, accountcode=account.account_number)
    await web.operator()
    operator, customer = browse(), browse()
    await operator.sign_in()
    old: list[str] = []

    async def in_the_form(status: str) -> None:
        path = f"/customers/{account.id}/edit"
        form = {**typed_in((await operator.get(path)).text), "status": status}
        assert 303 == (await operator.post(path, form)).status_code

    async def with_others(status: str) -> None:
        asked: Any = (web.business.pool, [account.id], {"status": status}, lambda *_: None)
        seen = (await look_at_change(*asked)).seen
        await change_accounts(*asked, Editor(changed_by="test", at=clock()), seen=seen)

    async def by_the_link(status: str) -> None:
        assert "You can call now" in (await customer.post(old[-1])).text

    for leave in (in_the_form, with_others, by_the_link):
        link = await link_of(operator, account.id)
        for each in old:
            for answer in (await customer.get(each), await customer.post(each)):
                assert (404, True) == (answer.status_code, "not good any more" in answer.text)
        assert "account_unconfirmed" == (await phone.authorize()).reason
        assert "then you can call" in (await customer.get(link)).text
        old.append(link)
        await leave("active")
        assert AccountStatus.ACTIVE == (await web.business.account(account)).status
        assert "You can call now" in (await customer.post(link)).text
        await in_the_form("unconfirmed")
    await in_the_form("suspended")
    for link in old:
        assert "waits for no confirmation" in (await customer.post(link)).text
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
