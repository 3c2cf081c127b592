"""The console in its languages: each message is translated, operators read their own."""

import re
from collections.abc import Callable

import pytest
from messages import WEB, messages
from web_client import Browser, Web

from agi_server.web.console.languages import translations

Browse = Callable[[], Browser]
_PLACE = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_message_is_translated_with_the_same_places(language: str) -> None:
    catalogue = translations(language)
    plural = {message: message for message in messages() if "%(num)s" in message}
    missing = []
    for message in messages() - {""}:
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
