"""A rate, and cards made of rates."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agi_server.tariffs import rate_cards
from agi_server.tariffs.rate_cards import CardVersion, Source
from agi_server.tariffs.version_rates import stored_version
from rating.rate import Rate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
UK = Rate(
    prefix="44",
    destination="United Kingdom",
    price_micros_per_minute=12_500,
    initial_s=60,
    increment_s=6,
    connection_fee_micros=100,
    minimum_charge_micros=5_000,
    buy_price_micros_per_minute=8_000,
    buy_initial_s=30,
    buy_increment_s=1,
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
)


async def store(
    pool: Any, *rates: Rate, sha256: str = "a", card: str = "retail", **options: Any
) -> CardVersion:
    return await rate_cards.store_version(
        pool,
        card,
        rates,
        Source(name="rates.csv", sha256=sha256),
        **{"currency": None, "default_currency": "USD", "at": NOW, **options},
    )


async def rates_of(pool: Any, version: int | None = None) -> list[Rate]:
    async with stored_version(pool, "retail", version, at=LATER) as stored:
        return [rate async for part in stored.rates() for rate in part]


async def active_versions(pool: Any) -> list[int]:
    return [
        each.version
        for each in await rate_cards.list_versions(pool, "retail", at=LATER)
        if each.active
    ]
