"""Phones of customers: the rows from which Asterisk lets them register and call (realtime).

An account has one user of each technology. Its name and secret are drawn, so that the account
number, which is a secret too, travels in no SIP message; it stands in Asterisk as the accountcode
of the phone's calls. Of a SIP secret only the digest is kept: it is shown once, and sealed with the
device token for the phone that fetches its settings itself.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from xml.etree import ElementTree

import structlog
from cryptography.fernet import Fernet, InvalidToken

from agi_server.accounts.account import Account
from agi_server.refused import NotFoundError, RefusedError
from agi_server.settings import PhonesSettings
from agi_server.storage.postgres.statements import statement

log = structlog.get_logger()

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mistaken for another
_NAME_LENGTH = 10
_SECRET_LENGTH = 24
_DRAWS = 5


class Technology(StrEnum):
    """What a phone speaks."""

    SIP = "sip"
    IAX = "iax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone as listings show it; `registered` with an Asterisk just now."""

    account_id: int
    technology: Technology
    user_name: str
    registered: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the phone needs to register, known only now. `device_token` fetches a SIP phone's
    settings over HTTP."""

    technology: Technology
    user_name: str
    secret: str
    device_token: str | None

    def __repr__(self) -> str:
        return f"Credentials({self.technology.value}, {self.user_name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneOwner:
    """What Asterisk has to know of the account."""

    account_id: int
    account_number: str
    language: str

    @classmethod
    def of(cls, account: Account) -> "PhoneOwner":
        return cls(
            account_id=account.id,
            account_number=account.account_number,
            language=account.language,
        )


async def create_phone(
    db: Any, owner: PhoneOwner, technology: Technology, settings: PhonesSettings, *, at: datetime
) -> Credentials:
    """Write an account's rows of Asterisk; `db` is a connection in a transaction of the caller's.

    Raises RefusedError when the account has such a phone already.
    """
    secret, token = _drawn(_SECRET_LENGTH), _drawn(_SECRET_LENGTH)
    token = token if technology is Technology.SIP else ""
    sealed = _sealed(secret, token) if token else (None, None)
    for _ in range(_DRAWS):
        name = _drawn(_NAME_LENGTH)
        taken = await db.fetchval(
            statement("phones/insert_phone"), owner.account_id, technology, name, *sealed, at
        )
        if taken is not None:
            break
    else:
        raise RefusedError(f"the customer has a {technology.upper()} phone already")
    language = owner.language.partition("-")[0]
    codecs = ",".join(settings.codecs)
    if technology is Technology.SIP:
        await db.execute(
            statement("phones/insert_sip"),
            name,
            owner.account_number,
            _digest(name, settings.realm, secret),
            settings.realm,
            settings.context,
            codecs,
            settings.transport,
            language,
            settings.max_contacts,
        )
    else:
        await db.execute(
            statement("phones/insert_iax"),
            name,
            owner.account_number,
            secret,
            settings.context,
            codecs,
            language,
        )
    log.info(
        "account.changed",
        account_id=owner.account_id,
        account=owner.account_number,
        field=f"create_{technology.value}",
        value=name,
    )
    return Credentials(
        technology=technology, user_name=name, secret=secret, device_token=token or None
    )


async def create_missing_phones(
    db: Any, account: Account, settings: PhonesSettings, *, at: datetime
) -> list[Credentials]:
    """The phones that the account's fields ask for and that are not there yet.

    `db` is a connection in a transaction that has the account's row locked: two at once would both
    see no phone. Those that the fields no longer ask for were removed with the change of the field.
    """
    if not (account.create_sip or account.create_iax):
        return []
    wanted = {Technology.SIP: account.create_sip, Technology.IAX: account.create_iax}
    there = {phone.technology for phone in await list_phones(db, account.id)}
    return [
        await create_phone(db, PhoneOwner.of(account), technology, settings, at=at)
        for technology in Technology
        if wanted[technology] and technology not in there
    ]


async def renew_secret(
    db: Any, account_id: int, technology: Technology, settings: PhonesSettings
) -> Credentials:
    """Draw another secret and device token; what was registered with the old one no longer is.

    `db` is a connection in a transaction of the caller's. Raises NotFoundError without a phone.
    """
    secret, token = _drawn(_SECRET_LENGTH), _drawn(_SECRET_LENGTH)
    token = token if technology is Technology.SIP else ""
    sealed = _sealed(secret, token) if token else (None, None)
    name = await db.fetchval(statement("phones/set_provisioning"), account_id, technology, *sealed)
    if name is None:
        raise NotFoundError(f"the customer has no {technology.upper()} phone")
    if technology is Technology.SIP:
        digest = _digest(name, settings.realm, secret)
        await db.execute(statement("phones/set_sip_secret"), name, digest, settings.realm)
    else:
        await db.execute(statement("phones/set_iax_secret"), name, secret)
    log.info("account.changed", account_id=account_id, field=f"{technology.value}_secret")
    return Credentials(
        technology=technology, user_name=name, secret=secret, device_token=token or None
    )


async def remove_phones(
    db: Any, account_id: int, technology: Technology | None = None
) -> list[str]:
    """Take an account's phones away from Asterisk, registrations too; returns their user names."""
    rows = await db.fetch(statement("phones/delete"), account_id, technology)
    names = [row["user_name"] for row in rows]
    for name in names:
        log.info("account.changed", account_id=account_id, field="phone_removed", value=name)
    return names


async def list_phones(
    db: Any, account_id: int | None = None, technology: Technology | None = None
) -> list[Phone]:
    """Phones of an account or of all."""
    rows = await db.fetch(statement("phones/list"), account_id, technology)
    return [Phone(**{**row, "technology": Technology(row["technology"])}) for row in rows]


async def export_pjsip(db: Any, account_id: int | None = None) -> str:
    """SIP phones as a file for pjsip.conf to include, for an Asterisk without realtime."""
    lines = ["; Written by agi-server phone export: changes are lost with the next."]
    for row in await db.fetch(statement("phones/read_sip"), account_id):
        name = row["id"]
        endpoint = {"type": "endpoint", "auth": name, "aors": name, **_settings_of(row, "endpoint")}
        lines += _section(name, endpoint)
        lines += _section(
            name, {"type": "auth", "auth_type": "md5", "username": name} | _settings_of(row, "auth")
        )
        lines += _section(name, {"type": "aor"} | _settings_of(row, "aor"))
    return "\n".join(lines) + "\n"


async def export_iax(db: Any, account_id: int | None = None) -> str:
    """IAX phones as a file for iax.conf to include."""
    lines = ["; Written by agi-server phone export: changes are lost with the next."]
    for row in await db.fetch(statement("phones/read_iax"), account_id):
        lines += _section(row["name"], {**row, "name": None})
    return "\n".join(lines) + "\n"


async def provisioning_file(
    db: Any, mac_address: str, device_token: str, settings: PhonesSettings
) -> str | None:
    """The settings of the phone with this MAC address (`00-08-74-4C-7F-1D`), as XML.

    None for another token than this phone's, or a MAC address nobody has: the answer is the same.
    """
    digest = hashlib.sha256(device_token.encode()).digest()
    row = await db.fetchrow(statement("phones/find_by_mac"), mac_address, digest)
    if row is None or row["provisioning"] is None:
        return None
    try:
        secret = Fernet(_key(device_token)).decrypt(row["provisioning"]).decode()
    except InvalidToken:
        return None
    root = ElementTree.Element("phone", mac=mac_address)
    account = ElementTree.SubElement(root, "account", number="1")
    for name, value in (
        ("server", settings.server),
        ("port", str(settings.server_port)),
        ("transport", row["transport"] or "udp"),
        ("user", row["user_name"]),
        ("password", secret),
        ("codecs", ",".join(settings.codecs)),
    ):
        ElementTree.SubElement(account, name).text = value
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _drawn(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _digest(name: str, realm: str, secret: str) -> str:
    """HA1 of digest authentication (RFC 7616), as Asterisk's md5_cred wants it."""
    text = f"{name}:{realm}:{secret}".encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def _key(device_token: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"seal:" + device_token.encode()).digest())


def _sealed(secret: str, device_token: str) -> tuple[bytes, bytes]:
    """What is kept to recognise the token, and the secret that only the token opens."""
    return (
        hashlib.sha256(device_token.encode()).digest(),
        Fernet(_key(device_token)).encrypt(secret.encode()),
    )


_OBJECTS = {
    "auth": ("md5_cred", "realm"),
    "aor": ("max_contacts", "remove_existing"),
    "endpoint": (
        "context",
        "disallow",
        "allow",
        "transport",
        "language",
        "accountcode",
        "allow_transfer",
        "direct_media",
        "dtmf_mode",
        "rtp_symmetric",
        "force_rport",
        "rewrite_contact",
    ),
}


def _settings_of(row: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {name: row[name] for name in _OBJECTS[kind] if row[name] is not None}


def _section(name: str, settings: Mapping[str, Any]) -> Iterable[str]:
    yield f"\n[{name}]"
    yield from (f"{key}={value}" for key, value in settings.items() if value is not None)
