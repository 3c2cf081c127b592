"""The console in its languages: each message is translated, operators read their own."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from messages import WEB, messages
from refusals import refusals
from test_web_customer_form import WRONG
from web_client import Browser, Web

from agi_server.web.console.languages import refusal, translations

Browse = Callable[[], Browser]
SHEETS = Path(__file__).parents[1] / "rating_sheets/broken"
_PLACE = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_message_is_translated_with_the_same_places(language: str) -> None:
    catalogue = translations(language)
    plural = {message: message for message in messages() if "%(num)s" in message}
    missing = []
    for message in (messages() | refusals()) - {""}:
        text = catalogue.ngettext(message, message, 1) if message in plural else None
        text = text or catalogue.gettext(message)
        known = f'msgid "{message}"' in (WEB / f"locale/{language}.po").read_text()
        if text == message and not known:
            missing.append(message)
        assert sorted(_PLACE.findall(message)) == sorted(_PLACE.findall(text))
    assert [] == sorted(missing)


async def test_an_operator_reads_the_console_in_the_own_language_and_zone(
    web: Web, browse: Browse
) -> None:
    account = await web.business.customer(1_234_500_000)
    await web.operator("chloe", language="fr", timezone="Europe/Paris")
    browser = browse()
    sign_in = await browser.get("/sign-in", accept_language="es-MX,es;q=0.9")
    assert "Contraseña" in sign_in.text
    await browser.sign_in("chloe")
    page = (await browser.get(f"/customers/{account.id}")).text
    assert '<html lang="fr">' in page
    for text in ("Grand livre", "Solde sur 30 jours", "1\u202f234,50\xa0$US"):
        assert text in page


def test_what_is_refused_is_told_in_the_language_with_its_values() -> None:
    for message, told in (
        ("must be at least 3", "doit être au moins 3"),
        ("must be one of the account's CallerIDs, or withheld",
         "doit être l'un des numéros d'appelant du compte, ou withheld"),
        ("must be one of new, active", "doit être l'un de : new, active"),
        ("vat: must be a whole number", "vat: doit être un nombre entier"),
        ("callerid: must be a whole number",
         "Numéro d'appelant: doit être un nombre entier"),
        ("amount: must be greater than 0 and less than 10^12",
         "Montant: doit être supérieur à 0 et inférieur à 10^12"),
        ("web.1: must be yes or no", "web.1: must be yes or no"),
        ("something 100% else", "something 100% else"),
    ):  # fmt: skip
        assert told == refusal(message, "fr")
        field, colon, rest = message.partition(": ")
        label = {"callerid": "CallerID", "amount": "Amount"}.get(field, field)
        assert f"{label}{colon}{rest}" == refusal(message, "en")


async def test_a_form_with_every_field_wrong_says_so_in_the_language_of_the_operator(
    web: Web, browse: Browse
) -> None:
    await web.operator("chloe", language="fr")
    browser = browse()
    await browser.sign_in("chloe")
    page = (await browser.post("/customers/new", WRONG)).text
    told = re.findall(r'<p class="wrong" role="alert">([^<]+)<', page)
    assert len(told) >= len(WRONG) - 1
    assert [] == [message for message in told if "must" in message]
    sheet = b"prefix,destination,price_per_minute,initial,increment\n4x,UK,0.1,1,1\n44,UK,,1,1\n"
    page = (await browser.post("/rates", {"card": "c"}, files={"sheet": ("c.csv", sheet)})).text
    told = re.findall(r'data-label="Ce qui ne va pas">([^<]*)<', page)
    assert ["&#39;4x&#39; n&#39;est pas fait de 1 à 15 chiffres", "vide"] == told
    sheet = b"prefix,destination,price_per_minute,initial,increment,Colour\n44,UK,0.1,1,1,red\n"
    page = (await browser.post("/rates", {"card": "c"}, files={"sheet": ("c.csv", sheet)})).text
    assert '<p class="quiet">colonnes laissées de côté : Colour</p>' in page


@pytest.mark.parametrize("language", ["fr", "es"])
def test_what_is_wrong_with_a_sheet_is_told_in_the_language(language: str) -> None:
    told = {
        re.sub(r"^line \d+(, [^:]*)?: ", "", line)
        for file in SHEETS.glob("*.txt")
        for line in file.read_text().splitlines()
    }
    notes = {
        note
        for file in SHEETS.with_name("good").glob("*.json")
        for note in json.loads(file.read_text())["notes"]
    }
    assert len(told) > len(notes) > 0
    told |= notes
    assert set() == {message for message in told if refusal(message, language) == message}


async def test_the_history_and_the_ledger_of_a_customer_have_no_raw_words(
    web: Web, browse: Browse
) -> None:
    await web.operator("chloe", language="fr")
    browser = browse()
    await browser.sign_in("chloe")
    created = await browser.post("/customers/new", {"refill": "5", "payment_type": "postpaid"})
    path = re.search(r"/customers/\d+", created.text)
    assert path, created.text
    change = {
        "expiry": "at_date", "expiry_date": "2030-01-01", "status": "suspended_litigation",
        "credit_limit": "2.50", "locked": "yes", "web_password": "a long password", "seen": "",
    }  # fmt: skip
    assert 303 == (await browser.post(f"{path[0]}/edit", change)).status_code
    await web.business.did("442079460000")
    assigned = {"customer": f"id:{path[0].rpartition('/')[2]}"}
    await browser.post("/dids/442079460000/assign", assigned)
    history = (await browser.get(f"{path[0]}/history")).text.partition("<tbody>")[2]
    for text in ("à une date", "jamais", "suspendu (litige)", "2,50", ">oui<", "Numéros (DID)",
                 "+442079460000", "un autre, non affiché"):  # fmt: skip
        assert text in history
    for raw in ("at_date", "never", "suspended_litigation", ">dids<", ">yes<", "(secret)"):
        assert raw not in history
    ledger = (await browser.get(f"{path[0]}/ledger")).text
    assert ("à la création" in ledger, "on creation" in ledger) == (True, False)
    form = {"amount": "999999", "note": "x", "direction": "take", "confirmed": "yes"}
    refused = (await browser.post(f"{path[0]}/correct", form)).text.replace("\u202f", " ")
    assert "999 999,00\xa0$US" in refused
