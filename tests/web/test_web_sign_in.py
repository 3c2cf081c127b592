"""Signing in: who may, who may not, and for how long."""

from collections.abc import Callable
from datetime import timedelta

import pyotp
from web_client import PASSWORD, Browser, Web

from agi_server.web.auth import operators
from agi_server.web.auth.secrets import new_totp_secret
from agi_server.web.auth.sign_in import FAILURES_BY_NAME
from support.event_log import EventLog

Browse = Callable[[], Browser]


async def test_a_page_leads_to_the_sign_in_and_the_sign_in_back_to_it(
    web: Web, browse: Browse, events: EventLog
) -> None:
    await web.operator()
    browser = browse()
    asked = await browser.get("/calls")
    assert (303, "/sign-in?next=/calls") == (asked.status_code, asked.headers["location"])
    answer = await browser.post(
        "/sign-in", {"name": "alice", "password": PASSWORD, "next": "/calls"}, csrf=""
    )
    assert (303, "/calls") == (answer.status_code, answer.headers["location"])
    cookie = answer.headers["set-cookie"].lower()
    for attribute in ("__host-", "secure", "httponly", "samesite=lax", "path=/"):
        assert attribute in cookie
    browser.cookie = answer.headers["set-cookie"].partition(";")[0]
    assert 200 == (await browser.get("/calls")).status_code
    assert events.of("web.signed_in", operator="alice")


async def test_the_sign_in_leads_to_no_other_site(web: Web, browse: Browse) -> None:
    await web.operator()
    for place in ("https://evil.example/", "//evil.example", "/\\evil.example", "evil"):
        answer = await browse().post(
            "/sign-in", {"name": "alice", "password": PASSWORD, "next": place}, csrf=""
        )
        assert "/customers" == answer.headers["location"]


async def test_a_wrong_password_and_an_unknown_name_look_alike_and_are_logged(
    web: Web, browse: Browse, events: EventLog
) -> None:
    await web.operator()
    wrong = await browse().sign_in(password="wrong wrong wrong")
    unknown = await browse().sign_in(name="nobody")
    assert (401, 401) == (wrong.status_code, unknown.status_code)
    assert wrong.text.replace("alice", "nobody") == unknown.text
    assert 2 == len(events.of("web.sign_in_refused", reason="wrong"))
    assert PASSWORD not in str(events.events)


async def test_too_many_attempts_lock_the_name_for_a_while_even_for_the_right_password(
    web: Web, browse: Browse, events: EventLog
) -> None:
    await web.operator()
    browser = browse()
    for _ in range(FAILURES_BY_NAME):
        assert 401 == (await browser.sign_in(password="wrong wrong wrong")).status_code
    assert 429 == (await browser.sign_in()).status_code
    assert events.of("web.sign_in_refused", reason="locked_out", operator="alice")
    web.business.now.advance(15 * 60 + 1)
    assert 303 == (await browser.sign_in()).status_code


async def test_a_one_time_code_is_needed_where_it_is_set_up_and_counts_once(
    web: Web, browse: Browse
) -> None:
    secret = new_totp_secret()
    await web.operator(totp_secret=secret)
    browser = browse()
    code = pyotp.TOTP(secret).at(web.business.now())
    assert 401 == (await browser.sign_in()).status_code
    assert 401 == (await browser.sign_in(code="000000" if code != "000000" else "1")).status_code
    assert 303 == (await browser.sign_in(code=code)).status_code
    assert 401 == (await browse().sign_in(code=code)).status_code


async def test_a_session_ends_when_nobody_uses_it_and_when_its_operator_is_switched_off(
    web: Web, browse: Browse
) -> None:
    await web.operator()
    first, second = browse(), browse()
    await first.sign_in()
    web.business.now.advance(timedelta(minutes=61).total_seconds())
    assert 303 == (await first.get("/customers")).status_code
    await second.sign_in()
    assert 200 == (await second.get("/customers")).status_code
    await operators.switch_operator(web.business.pool, "alice", False, at=web.business.now())
    assert 303 == (await second.get("/customers")).status_code
    assert 401 == (await browse().sign_in()).status_code


async def test_signing_out_ends_the_session_itself(web: Web, browse: Browse) -> None:
    await web.operator()
    browser = browse()
    await browser.sign_in()
    assert 303 == (await browser.post("/sign-out")).status_code
    assert 303 == (await browser.get("/customers")).status_code


async def test_every_answer_binds_the_browser(web: Web, browse: Browse) -> None:
    for path in ("/sign-in", "/nothing-here", "/static/console.css"):
        headers = (await browse().get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "nosniff" == headers["x-content-type-options"]
