"""The fields of an account as options and as output: made of the one list that describes them."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from agi_server.accounts.account import FIELDS, Account
from agi_server.accounts.field_kinds import show_value
from agi_server.accounts.fields import AccountField, Kind, Settable
from agi_server.cli.output import money, time
from agi_server.cli.parameters import Words


def field_options(*settable: Settable, defaults: bool) -> Callable[..., Any]:
    """Options for the fields that may be set then, in the order of the page.

    Their values reach the command as texts by field name; what is not given is not there. With
    `defaults` the help tells them.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for field in reversed(FIELDS):
            if field.settable in settable:
                command = _option(field, defaults)(command)
        return command

    return add


def given_texts(options: Mapping[str, Any]) -> dict[str, Any]:
    """Texts by field name of the options that were given."""
    return {name: text for name, text in options.items() if text is not None and text != ()}


def option_name(field: AccountField) -> str:
    """`--credit-limit`; one for each item of a list: `--callerid`."""
    name = field.name if field.item is None else field.item.lower().replace(" ", "_")
    return f"--{name.replace('_', '-')}"


def account_as_shown(account: Account, shown_number: str) -> dict[str, Any]:
    """All that is known of an account, in the order of its page; amounts in its currency."""
    shown = {
        field.name: show_value(field, getattr(account, field.attribute))
        for field in FIELDS
        if field.kind is not Kind.SECRET and field.name != "note"
    }
    return {
        "id": account.id,
        **shown,
        "account_number": shown_number,
        "held": money(account.held_micros),
        "available": money(account.available_micros),
        "expires_at": time(account.expires_at),
        "created_at": time(account.created_at),
        "deleted_at": time(account.deleted_at),
    }


class _FieldWords(Words):
    """Shown as a choice; told as all that is wrong with fields is, and with the rest of it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


def _option(field: AccountField, defaults: bool) -> Callable[..., Any]:
    name = option_name(field)
    if field.kind is Kind.FLAG:
        return click.option(
            f"{name}/--no-{name.removeprefix('--')}",
            field.name,
            default=None,
            help=_help(field, defaults),
        )
    return click.option(
        name,
        field.name,
        metavar=None if field.choices else _METAVARS.get(field.kind, "TEXT"),
        type=_FieldWords(field.choice_words) if field.choices else str,
        multiple=field.kind is Kind.LIST,
        help=_help(field, defaults),
    )


def _help(field: AccountField, defaults: bool) -> str:
    text = field.help
    if field.kind is Kind.LIST:
        text += " May be repeated."
    shown = show_value(field, field.default)
    if defaults and shown not in (None, "", []) and field.name != "currency":
        word = ("yes" if shown else "no") if isinstance(shown, bool) else shown
        text += f"  [default: {str(word).replace('_', '-')}]"
    return text


_METAVARS = {
    Kind.NUMBER: "NUMBER",
    Kind.MONEY: "AMOUNT",
    Kind.PERCENT: "PERCENT",
    Kind.DATE: "DATE",
    Kind.LIST: "TEXT",
    Kind.REFERENCE: "NAME",
    Kind.SECRET: "TEXT",
}
