"""What the constraints of the account's tables forbid, in words."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from agi_server.refused import RefusedError

_REFUSED = {
    "customer_web_login_key": ("web_login", "belongs to a customer already"),
    "customer_mac_address_key": ("mac_address", "belongs to a customer already"),
    "account_within_credit_limit": (
        "credit_limit",
        "the balance and the calls in progress go below it already",
    ),
}


@contextmanager
def explain_taken() -> Iterator[None]:
    """Raises RefusedError where a constraint forbids what is stored."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        refused = _REFUSED.get(error.constraint_name)
        if refused is None:
            raise
        field, message = refused
        raise RefusedError(message, field=field) from None
