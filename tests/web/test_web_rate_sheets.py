"""Rate sheets uploaded with what they do not say themselves, in the console and by the API."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from web_client import Browser, Client, Web

from agi_server.web.console.formats import hours
from rating.hours import parse_hours

Browse = Callable[[], Browser]
# Nothing of it can be read without being told: headings, dates, decimals, zone.
ODD = """Offer of May
Where;Digits;What;Cost;From
Germany;30;1;1,234;01.02.2099
Germany;151;9;0,500;03.02.2099
"""
PLAIN = "prefix,destination,price_per_minute,initial\n33,France,0.02,60\n"
SAID = {
    "columns": "Where=destination,Digits=prefix,Cost=rate,From=effective_from",
    "ignore": "What",
    "skip_lines": "1",
    "dates": "dmy",
    "decimal": ",",
    "increments": "60/6",
    "country_code": "49",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
async def alice(web: Web, browse: Browse) -> Browser:
    await web.operator()
    browser = browse()
    await browser.sign_in()
    return browser


async def uploaded(browser: Browser, sheet: str, **texts: str) -> tuple[int, str]:
    """The status and the page."""
    form = {"card": "retail", **texts}
    answer = await browser.post("/rates", form, files={"sheet": ("odd.csv", sheet.encode())})
    return answer.status_code, html.unescape(answer.text)


async def test_a_sheet_is_read_as_the_form_says(web: Web, alice: Browser) -> None:
    status, page = await uploaded(alice, ODD, **SAID)
    assert 200 == status, page
    rates = await web.business.pool.fetch(
        "SELECT prefix, destination, price_micros_per_minute, initial_s, increment_s,"
        " effective_from::text FROM rate JOIN rate_card_version v ON v.id = version_id"
        " WHERE v.version = 2 ORDER BY prefix"
    )
    assert [
        ("49151", "Germany", 500_000, 60, 6, "2099-02-02 23:00:00+00"),
        ("4930", "Germany", 1_234_000, 60, 6, "2099-01-31 23:00:00+00"),
    ] == [tuple(rate) for rate in rates]


async def test_what_is_said_wrong_is_told_at_its_field_and_the_rest_kept(
    web: Web, alice: Browser
) -> None:
    wrong = {
        "columns": "Where=destination,Digits", "skip_lines": "-1", "dates": "xyz", "decimal": "'",
        "increments": "60/0", "country_code": "4x", "timezone": "Mars/Olympus",
    }  # fmt: skip
    status, page = await uploaded(alice, ODD, **wrong, worksheet="Offer")
    assert 422 == status
    told = dict(
        re.findall(
            r'id="s-(\w+)".*?(?:<p class="wrong" role="alert">([^<]*)</p>|</div>)', page, re.S
        )
    )
    assert {
        "columns": "'Digits' is not like 'Breakout Name=destination'",
        "ignore": "",
        "skip_lines": "must be a whole number",
        "dates": "must be one of dmy, mdy, ymd",
        "decimal": "must be one of . ,",
        "increments": "'60/0': the further increment is at least 1",
        "country_code": "'4x' is not 1 to 7 digits",
        "worksheet": "",
        "timezone": "must be an IANA time zone such as Europe/Paris",
    } == told
    for text in ('value="Where=destination,Digits"', 'value="Offer"', 'value="retail"'):
        assert text in page
    assert 1 == await web.business.pool.fetchval("SELECT max(version) FROM rate_card_version")


async def test_a_sheet_with_errors_may_be_uploaded_again_with_what_was_said(alice: Browser) -> None:
    status, page = await uploaded(alice, ODD, **{**SAID, "dates": "", "decimal": ""})
    assert 422 == status
    assert "Declare it (--dates dmy or --dates mdy)" in page
    assert 'value="Where=destination,Digits=prefix,Cost=rate,From=effective_from"' in page
    assert "<code>--dates</code>" in page


async def test_a_sheet_of_changes_leaves_the_other_rates_in_the_console_too(
    web: Web, alice: Browser
) -> None:
    sheet = "Code,Rate,Increments,Status\n4490,0.01,1/1,\n4499,,,deleted\n"
    status, page = await uploaded(alice, sheet, changes_only="yes")
    assert 200 == status
    assert "odd.csv:3: deletes 4499, which the card does not have" in page
    whole = await web.business.pool.fetchval("SELECT count(*) FROM rate WHERE version_id = 1")
    assert await web.business.pool.fetchval(
        "SELECT count(*) FROM rate JOIN rate_card_version v ON v.id = version_id"
        " WHERE v.version = 2"
    ) in (whole, whole + 1)


async def test_the_prices_within_hours_and_stages_are_shown(alice: Browser) -> None:
    header = "prefix,destination,price_per_minute,initial,increment,stages,hours,action\n"
    day = "44,UK,0.60,1,1,60@0.10/1,,\n44,UK,,,,,Sat-Sun 08:00-10:00,block\n"
    status, page = await uploaded(alice, f"{header}{day}44,UK,0.90,60,6,,20:00-22:00,\n")
    assert 200 == status, page
    shown = " ".join(re.sub("<[^>]*>", " ", page).split())
    assert "0.60 1/1, stages 60@0.10/1+0.00" in shown
    assert "Mon-Sun 20:00-22:00 $0.90 60/6" in shown
    assert "Sat-Sun 08:00-10:00 blocked" in shown
    assert "lun.-dim. 20:00-22:00" == hours(parse_hours("20:00-22:00"), "fr")


async def test_the_api_takes_the_same_words(web: Web, admin: Client) -> None:
    path = "/rate-cards/retail/sheet"

    async def put(status: int = 200, **query: Any) -> Any:
        return await admin.ask("PUT", path, status, content=ODD.encode(), params=query)

    compared = await put(dry_run=True, changes_only=True, **SAID)
    assert ([], None) == (compared["errors"], compared["version"])
    assert (2, 0) == (compared["counts"]["new"], compared["counts"]["removed"])
    refused = await put(422, **{**SAID, "dates": "xyz"})
    assert "dates" in str(refused["errors"])
    await put(422, dryrun=True)


async def test_a_sheet_in_another_currency_than_the_cards_is_told_at_its_field_and_not_stored(
    web: Web, alice: Browser
) -> None:
    admin = Client(web.url, await web.token())
    told = "rate card retail is in USD, not in EUR"
    for texts in ({"currency": "EUR "}, {"currency": "eur", "store": "no"}):
        status, page = await uploaded(alice, PLAIN, **texts)
        assert 422 == status
        assert f'<p class="wrong" id="e-currency" role="alert">{told}</p>' in page
        assert 'name="currency" maxlength="3" value="E' in page or 'value="eur"' in page
    for query in ({"dry_run": True}, {}, {"trunk": "gw"}):
        refused = await admin.ask(
            "PUT",
            "/rate-cards/retail/sheet",
            422,
            content=PLAIN.encode(),
            params={"currency": "EUR", **query},
        )
        assert [{"field": "currency", "message": told}] == refused["errors"]
    assert 1 == await web.business.pool.fetchval("SELECT max(version) FROM rate_card_version")
    assert 200 == (await uploaded(alice, PLAIN, currency="USD"))[0]


async def test_what_is_wrong_with_card_trunk_and_currency_is_told_at_their_fields(
    alice: Browser,
) -> None:
    for field, text, told in (
        ("card", "re tail", "must be letters, digits"),
        ("trunk", "nowhere", "there is no trunk nowhere"),
        ("currency", "EU", "must be a currency code of three letters such as EUR"),
    ):
        status, page = await uploaded(alice, PLAIN, **{field: text})
        assert 422 == status
        assert f'<p class="wrong" id="e-{field}" role="alert">{told}' in page
