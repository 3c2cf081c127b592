"""Passwords and PINs of customers: only their argon2id hashes are kept."""

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106 for little memory
# Without 0, O, 1, l and I, which people confuse.
_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"
_GENERATED_LENGTH = 12
_LOGIN_LENGTH = 10


async def hash_secret(secret: str) -> str:
    """The hash to store. It takes some 50 ms on purpose, in a thread."""
    return await asyncio.to_thread(_HASHER.hash, secret)


async def is_secret(secret: str, stored_hash: str | None) -> bool:
    """Whether this is the secret whose hash was stored; never for none."""
    return await asyncio.to_thread(_verify, secret, stored_hash)


def generate_password() -> str:
    """A password to be shown once: 60 random bits."""
    return "".join(secrets.choice(_SIGNS) for _ in range(_GENERATED_LENGTH))


def generate_login() -> str:
    """A user name for the self-care page; it tells nothing of the account number."""
    return "".join(secrets.choice(_SIGNS) for _ in range(_LOGIN_LENGTH))


def _verify(secret: str, stored_hash: str | None) -> bool:
    try:
        # A customer without a password takes as long as one with another.
        _HASHER.verify(stored_hash or _no_hash(), secret)
    except (VerificationError, InvalidHashError):
        return False
    return stored_hash is not None


@cache
def _no_hash() -> str:
    return _HASHER.hash(secrets.token_hex())
