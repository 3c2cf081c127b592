"""What an operator reads in a history: the texts of the audit in words, amounts and times."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from agi_server.accounts.account import FIELDS, Account, Restriction
from agi_server.accounts.audit import SECRET_SHOWN, AuditEntry
from agi_server.accounts.dids import DidChange
from agi_server.accounts.fields import AccountField, Kind, choice_word
from agi_server.business_audit import Noun, list_changes
from agi_server.web.console import formats, words
from agi_server.web.console.languages import N_
from agi_server.web.console.pages import language_of, translated
from agi_server.web.services import services_of
from rating.money import MoneyError, parse_money

_FIELDS = {field.name: field for field in FIELDS}
_OTHERS = {
    "account": N_("Account"),
    "dids": N_("DIDs"),
    "person": N_("Person"),
    "sip_secret": N_("SIP secret"),
    "iax_secret": N_("IAX secret"),
}
_EVENTS = {("account", "created"): N_("created"), ("person", "erased"): N_("erased")}
_MOST = 50
_PAIR = re.compile(r"(?:^|, )([a-z_]+)=")
_SWITCHED = {"on": N_("on"), "off": N_("off")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A change as a page shows it; no value is an empty text. `name` is of what was changed."""

    changed_at: datetime
    changed_by: str
    label: str
    old: str
    new: str
    reason: str = ""
    name: str = ""


def customer_changes(
    request: Request, account: Account, changes: Sequence[AuditEntry]
) -> list[ShownChange]:
    """Of a customer; amounts are in the account's currency."""
    return [
        ShownChange(
            changed_at=each.changed_at,
            changed_by=each.changed_by,
            label=translated(request, _label(each.field)),
            old=_customer_text(request, account, each.field, each.old),
            new=_customer_text(request, account, each.field, each.new),
            reason=each.reason or "",
        )
        for each in changes
    ]


def did_changes(request: Request, zone: str, changes: Sequence[DidChange]) -> list[ShownChange]:
    """Of a DID; times are in the operator's zone."""
    return [
        ShownChange(
            changed_at=each.changed_at,
            changed_by=each.changed_by,
            label=translated(request, words.WORDS["did_field"].get(each.field, each.field)),
            old=_did_text(request, zone, each.field, each.old),
            new=_did_text(request, zone, each.field, each.new),
        )
        for each in changes
    ]


async def business_changes(
    request: Request, noun: Noun, name: str | None = None
) -> list[ShownChange]:
    """Of a call plan, a trunk, a group … of a name, or of all of them; the newest."""
    changes = await list_changes(services_of(request).db, noun, name, _MOST)
    labels = words.WORDS["business_field"]
    return [
        ShownChange(
            changed_at=each.changed_at,
            changed_by=each.changed_by,
            label=translated(request, labels.get(each.field, each.field)),
            old=_business_text(request, each.field, each.old),
            new=_business_text(request, each.field, each.new),
            name=each.name,
        )
        for each in changes
    ]


def _label(name: str) -> str:
    return _FIELDS[name].label if name in _FIELDS else _OTHERS.get(name, name)


def _customer_text(request: Request, account: Account, name: str, text: str | None) -> str:
    if text is None:
        return ""
    if text == SECRET_SHOWN:
        return translated(request, N_("another, not shown"))
    field = _FIELDS.get(name)
    if field is not None:
        return _field_text(request, account, field, text)
    if (name, text) in _EVENTS:
        return translated(request, _EVENTS[name, text])
    return f"+{text}" if name == "dids" else text


def _field_text(request: Request, account: Account, field: AccountField, text: str) -> str:
    match field.kind:
        case Kind.CHOICE:
            return _choice_text(request, field, text)
        case Kind.FLAG:
            return _yes_or_no(request, text)
        case Kind.MONEY:
            try:
                micros = parse_money(text, signed=True)
            except MoneyError:
                return text
            return formats.money(micros, account.currency, language_of(request))
        case Kind.PERCENT:
            return f"{text} %"
        case Kind.MOMENT:
            moment = datetime.fromisoformat(text)
            return formats.moment(moment, account.timezone, language_of(request))
        case _:
            return text


def _did_text(request: Request, zone: str, field: str, text: str | None) -> str:
    if text is None:
        return ""
    if field in ("valid_from", "valid_until"):
        return formats.moment(datetime.fromisoformat(text), zone, language_of(request))
    if field == "active":
        return _yes_or_no(request, text)
    if field == "number":
        return f"+{text}"
    if not field.startswith("destination "):
        return text
    target, _, state = text.partition(" ")
    kind = words.WORDS["did_kind"].get(target)
    shown = f"+{target}" if kind is None else translated(request, kind)
    return f"{shown}: {translated(request, _SWITCHED[state])}" if state in _SWITCHED else shown


def _business_text(request: Request, field: str, text: str | None) -> str:
    if text is None:
        return ""
    if field == "restriction":
        return translated(request, words.WORDS[field][Restriction[text.upper()]])
    if field.startswith("may_"):
        return _yes_or_no(request, text)
    if field == "defaults":
        return _defaults_text(request, text)
    word = words.WORDS.get(field, {}).get(text)
    return text if word is None else translated(request, word)


def _defaults_text(request: Request, text: str) -> str:
    """`Language: fr, Run service: yes` of `language=fr, run_service=yes`, in the language."""
    shown = []
    pairs = [each for each in _PAIR.finditer(text) if each[1] in _FIELDS]
    for each, after in zip(pairs, [*pairs[1:], None], strict=True):
        field = _FIELDS[each[1]]
        value = text[each.end() : after.start() if after else len(text)]
        shown.append(f"{translated(request, field.label)}: {_default_text(request, field, value)}")
    return ", ".join(shown) or text


def _default_text(request: Request, field: AccountField, text: str) -> str:
    if field.kind is Kind.FLAG:
        return _yes_or_no(request, {"true": "yes", "false": "no"}.get(text.lower(), text))
    if field.kind is Kind.CHOICE:
        return _choice_text(request, field, text)
    return text


def _choice_text(request: Request, field: AccountField, text: str) -> str:
    named = {choice_word(member): member for member in field.choices or ()}
    word = words.WORDS.get(field.name, {}).get(named.get(text))
    return text if word is None else translated(request, word)


def _yes_or_no(request: Request, text: str) -> str:
    return translated(request, {"yes": words.YES, "no": words.NO}.get(text, text))
