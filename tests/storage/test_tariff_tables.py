"""Call plans, and the tables that price calls in memory."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cards_for_tests import LATER, NOW, UK, rates_of, store

from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.tariffs import plans, rate_cards
from agi_server.tariffs.table_builder import TableBuildError
from agi_server.tariffs.tables import TariffStore
from rating.money import RoundingMode
from rating.rate import Rate, RateWindow, Stage
from rating.rate_card import PricingRules


async def test_a_plan_prices_by_its_cards_in_order(pool: Any) -> None:
    await store(pool, UK, card="retail", activate=True)
    await store(pool, Rate(prefix="4420", price_micros_per_minute=1), card="local", activate=True)
    created = await plans.create_plan(pool, "standard", ["local", "retail"])
    assert [created] == await plans.list_plans(pool)
    assert (("local", "retail"), 0) == (created.cards, created.accounts)
    assert created.id == await plans.plan_id(pool, "standard")
    tariffs = TariffStore()
    await tariffs.reload(pool, NOW)
    for number, card in (("442079460000", "local"), ("441234567890", "retail")):
        quote = tariffs.current.quote(created.id, "USD", number, NOW)
        assert quote is not None
        assert card == quote.sell.card.name


async def test_a_plan_that_cannot_be_is_refused_whole(pool: Any) -> None:
    await store(pool, UK)
    with pytest.raises(NotFoundError, match="there is no rate card wholesale"):
        await plans.create_plan(pool, "standard", ["retail", "wholesale"])
    with pytest.raises(InvalidFieldError, match="at least one"):
        await plans.create_plan(pool, "standard", [])
    with pytest.raises(InvalidFieldError, match="twice"):
        await plans.create_plan(pool, "standard", ["retail", "retail"])
    assert [] == await plans.list_plans(pool)
    await plans.create_plan(pool, "standard", ["retail"])
    with pytest.raises(RefusedError, match="a call plan standard exists already"):
        await plans.create_plan(pool, "standard", ["retail"])
    with pytest.raises(NotFoundError, match="there is no call plan none"):
        await plans.plan_id(pool, "none")


EVERYTHING = Rate(
    prefix="33",
    destination="France",
    price_micros_per_minute=9,
    buy_connection_fee_micros=3,
    disconnection_fee_micros=4,
    stages=(Stage(length_s=60, price_micros_per_minute=5, entry_fee_micros=1),),
    windows=(
        RateWindow(
            start_minute=540,
            end_minute=1080,
            rate=Rate(prefix="33", price_micros_per_minute=8, effective_from=NOW),
        ),
    ),
    grace_s=2,
    effective_from=NOW,
)


async def test_every_term_of_a_rate_is_stored_and_loaded(pool: Any, postgres_dsn: str) -> None:
    rules = PricingRules(
        rounding_decimals=2,
        rounding_mode=RoundingMode.HALF_EVEN,
        increments_from_zero=True,
        price_by_start=True,
        zone=ZoneInfo("Europe/Paris"),
    )
    many = [Rate(prefix=str(prefix), price_micros_per_minute=7) for prefix in range(4_000, 8_000)]
    blocked = Rate(prefix="882", blocked=True)
    await store(pool, UK, EVERYTHING, blocked, activate=True, rules=rules)
    await store(pool, EVERYTHING, *many, card="large", activate=True)
    stored = {rate.prefix: rate for rate in await rates_of(pool)}
    assert {"44": UK, "33": EVERYTHING, "882": blocked} == stored
    assert rules == (await rate_cards.list_versions(pool, "retail", at=LATER))[0].rules
    await plans.create_plan(pool, "standard", ["retail", "large"])
    tariffs = TariffStore("USD", postgres_dsn)  # the large card is built by another process
    await tariffs.reload(pool, LATER)
    plan = tariffs.current.plans[tariffs.current.plan_ids["standard"]]
    (retail, small_table), (_, large_table) = plan.cards
    assert rules == retail.rules
    assert EVERYTHING == small_table.lookup("33123", LATER) == large_table.lookup("33123", LATER)
    assert many[1] == large_table.lookup("400112", LATER)
    assert 4_001 == len(large_table)
    await tariffs.reload(pool, LATER)
    assert large_table is tariffs.current.plans[plan.id].cards[1][1]


async def test_a_table_that_cannot_be_built_says_why_and_leaves_the_old_ones(
    pool: Any, postgres_dsn: str
) -> None:
    many = [Rate(prefix=str(prefix), price_micros_per_minute=7) for prefix in range(4_000, 8_000)]
    await store(pool, *many, activate=True)
    await plans.create_plan(pool, "standard", ["retail"])
    tariffs = TariffStore("USD", postgres_dsn.replace("/test", "/nowhere"))
    with pytest.raises(TableBuildError, match="nowhere"):
        await tariffs.reload(pool, LATER)
    assert {} == tariffs.current.plans
