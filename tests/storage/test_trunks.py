"""Trunks: what they dial, and their service."""

from typing import Any

import pytest
from cards_for_tests import NOW, UK, store

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.tariffs import plans, trunks
from agi_server.tariffs.tables import TariffStore


@pytest.mark.parametrize(
    "dial",
    [
        "PJSIP/{number}@gw",
        "PJSIP/gw/sip:{number}@carrier.example:5060;transport=tcp",
        "Local/{prefix}-{number}@out/n",
        "SIP/{account_id}-{number}",
    ],
)
async def test_a_trunk_keeps_its_dial_template(pool: Any, dial: str) -> None:
    created = await trunks.create_trunk(pool, "gw", dial)
    assert [created] == await trunks.list_trunks(pool)
    assert ("gw", dial, True) == (created.name, created.dial, created.enabled)


@pytest.mark.parametrize(
    "dial",
    [
        "PJSIP/442079460000@gw",
        "PJSIP/{number}@gw&PJSIP/{number}@other",
        "PJSIP/{number}@gw,60",
        "PJSIP/{number}@gw\r\nHANGUP",
        "PJSIP/{number}@gw\0",
        "PJSIP/{number}@${HOST}",
        "PJSIP/{number!r}@gw",
        "PJSIP/{number:>9}@gw",
        "PJSIP/{number.__class__}@gw",
        "PJSIP/{0}{number}@gw",
        "PJSIP/{secret}{number}@gw",
        "PJSIP/{number@gw",
        "PJSIP/number}@gw",
        "{number}",
        "",
    ],
)
async def test_a_template_that_could_dial_something_else_is_refused(pool: Any, dial: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        await trunks.create_trunk(pool, "gw", dial)
    assert "dial" == caught.value.field
    assert [] == await trunks.list_trunks(pool)


async def test_trunk_names_are_unique_and_plain(pool: Any) -> None:
    await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    with pytest.raises(RefusedError, match="a trunk gw exists already"):
        await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    with pytest.raises(InvalidFieldError, match="name: "):
        await trunks.create_trunk(pool, "my gw", "PJSIP/{number}@gw")


async def test_a_trunk_out_of_service_carries_no_calls(pool: Any) -> None:
    await trunks.create_trunk(pool, "gw", "PJSIP/{number}@gw")
    await trunks.create_trunk(pool, "gw2", "PJSIP/{number}@gw2")
    await store(pool, UK, trunks=["gw", "gw2"], activate=True)
    await plans.create_plan(pool, "standard", ["retail"])
    assert not (await trunks.switch_trunk(pool, "gw", False)).enabled
    tariffs = TariffStore()
    await tariffs.reload(pool, NOW)
    plan = tariffs.current.plan_ids["standard"]
    quote = tariffs.current.quote(plan, "USD", "442079460000", NOW)
    assert quote is not None
    assert ["gw2"] == [route.trunk for route in quote.routes]
    with pytest.raises(NotFoundError, match="there is no trunk nowhere"):
        await trunks.switch_trunk(pool, "nowhere", True)
