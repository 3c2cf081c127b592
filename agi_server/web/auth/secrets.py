"""Passwords, tokens and one-time codes: made, hashed and compared."""

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agi_server.refused import InvalidFieldError

SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 200
_TOTP_STEP_S = 30
# RFC 9106's second recommendation: 64 MiB. Two at a time, so that many sign-ins take no memory.
_hasher = PasswordHasher()
_hashers = ThreadPoolExecutor(2, "password")
# Compared with when nobody has the name, so that the answer takes as long.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


def new_token() -> str:
    """256 bits for a session or the API."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token: it has enough bits to need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def csrf_token(session_token: str) -> str:
    """What the forms of a session carry; nobody who does not know the session can make it."""
    return hmac.new(session_token.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf_token(session_token: str, given: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode())


def generate_password() -> str:
    """A password of 20 letters and digits."""
    return secrets.token_urlsafe(15)


def hash_password(password: str) -> str:
    """The argon2id hash of an operator's password. Raises InvalidFieldError."""
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise InvalidFieldError(
            "password", f"must be {SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters"
        )
    return _hasher.hash(password)


async def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the password of this hash; None takes as long and is never right."""
    if len(password) > _LONGEST_PASSWORD:
        return False
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_hashers, _verify, password, stored)


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(password: str, stored: str | None) -> bool:
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def new_totp_secret() -> str:
    """A secret for an authenticator app."""
    return pyotp.random_base32()


def totp_uri(secret: str, name: str) -> str:
    """The address that authenticator apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="agi-server")


def totp_step(secret: str, code: str, at: datetime) -> int | None:
    """The step of time a one-time code belongs to: now, the one before or after; None: none."""
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // _TOTP_STEP_S
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(totp.at(step * _TOTP_STEP_S).encode(), code.strip().encode()):
            return step
    return None
