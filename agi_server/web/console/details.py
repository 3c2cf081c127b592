"""The fields of a customer as a page shows them, section by section."""

from collections.abc import Sequence

from fastapi import Request

from agi_server.accounts.account import FIELDS, Account
from agi_server.accounts.field_kinds import show_value
from agi_server.accounts.fields import AccountField, Kind, Section
from agi_server.web.console import formats, words
from agi_server.web.console.pages import language_of, translated

# The page has them elsewhere, or nowhere.
_ELSEWHERE = frozenset({"account_number", "balance", "in_use", "callerids", "note"})


def details_of(
    request: Request, account: Account
) -> list[tuple[Section, Sequence[tuple[AccountField, str]]]]:
    """What there is to tell: fields without a value are left out."""
    sections: list[tuple[Section, Sequence[tuple[AccountField, str]]]] = []
    for section in Section:
        shown = [
            (field, text)
            for field in FIELDS
            if field.section is section and field.name not in _ELSEWHERE
            if (text := _text(request, account, field))
        ]
        if shown:
            sections.append((section, shown))
    return sections


def _text(request: Request, account: Account, field: AccountField) -> str:
    value = getattr(account, field.attribute)
    language = language_of(request)
    if value is None or value == () or field.kind is Kind.SECRET:
        return ""
    match field.kind:
        case Kind.CHOICE:
            return translated(request, words.WORDS[field.name][value])
        case Kind.FLAG:
            return translated(request, words.YES if value else words.NO)
        case Kind.MONEY:
            return formats.money(value, account.currency, language) if value else ""
        case Kind.MOMENT:
            return formats.moment(value, account.timezone, language)
        case Kind.PERCENT:
            return f"{show_value(field, value)} %" if value else ""
        case Kind.LIST:
            return ", ".join(value)
        case Kind.NUMBER:
            return formats.number(value, language)
        case _ if field.name == "language":
            return formats.language_name(value, language)
        case _:
            return str(show_value(field, value))
