"""Exchange rates: from a date on, what one unit of the base currency is worth of another."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from agi_server.refused import InvalidFieldError
from agi_server.storage.postgres.statements import statement
from rating.currency import CurrencyError, parse_exchange_rate

_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExchangeRate:
    """From `effective_from` on, one `base` is worth `per_base` of `currency`."""

    base: str
    currency: str
    effective_from: datetime
    per_base: Decimal


async def set_exchange_rate(
    db: Any, base: str, currency: str, per_base: str, effective_from: datetime
) -> None:
    """Store a rate given as a decimal with at most 12 decimals; calls keep theirs.

    The same date again replaces it. Raises InvalidFieldError.
    """
    if not _CODE.fullmatch(currency) or currency == base:
        raise InvalidFieldError("currency", f"must be an ISO 4217 code other than {base}")
    try:
        parse_exchange_rate(per_base)
    except CurrencyError as error:
        raise InvalidFieldError("rate", str(error)) from None
    await db.execute(
        statement("tariffs/set_exchange_rate"),
        base,
        currency,
        effective_from,
        Decimal(per_base.strip()),
    )


async def list_exchange_rates(db: Any) -> list[StoredExchangeRate]:
    """All, by currency, the newest first."""
    rows = await db.fetch(statement("tariffs/list_exchange_rates"))
    return [StoredExchangeRate(**row) for row in rows]
