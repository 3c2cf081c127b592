"""What a field of the account is: described once, shown by the command line, the API and the form.

Plain data. A field's text (what is typed, and what is shown) and its value (what the program works
with: micros, codes, UTC) are turned into each other by its kind, in `field_kinds`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any


class Section(StrEnum):
    """The sections of the customer's page, in their order; the value is the heading."""

    ACCOUNT = "Account"
    PERSON = "Personal information"
    STATUS = "Customer status"
    INVOICE = "Invoice status"
    NOTES = "Notes"
    LIMITS = "Lock and limits"


class Kind(StrEnum):
    """How a field is typed and shown."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    """A decimal string like `12.50`; its value is in micros."""
    PERCENT = "percent"
    """A decimal string like `7.5`; its value is in basis points, hundredths of a percent."""
    CHOICE = "choice"
    FLAG = "flag"
    DATE = "date"
    """`YYYY-MM-DD HH:MM:SS` in the account's time zone."""
    MOMENT = "moment"
    """An instant, shown in UTC with a Z."""
    LIST = "list"
    REFERENCE = "reference"
    """The name of something else, which must exist."""
    SECRET = "secret"
    """Given, and never shown again: only its hash is kept."""


class Settable(StrEnum):
    """When an operator may give the field a value."""

    ALWAYS = "always"
    ON_CREATION = "on_creation"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountField:
    """One field of the account.

    `name` is its name in commands, API, forms, audit and errors; `attribute` that of the model,
    which also tells the unit. `choices` has the members a CHOICE has, `reference` the noun a
    REFERENCE names, `item` one member of a LIST, `unit` what a number counts. `check` gives the
    value as it is stored, or raises ValueError with what is allowed.
    """

    name: str
    attribute: str
    section: Section
    label: str
    help: str
    kind: Kind
    default: Any = None
    settable: Settable = Settable.ALWAYS
    check: Callable[[Any], Any] | None = None
    choices: type[Enum] | None = None
    reference: str | None = None
    item: str | None = None
    unit: str | None = None
    needed: bool = False
    """It cannot be emptied."""

    @property
    def choice_words(self) -> tuple[str, ...]:
        """The words of a CHOICE, as they are typed and shown."""
        return tuple(choice_word(member) for member in self.choices or ())


def choice_word(member: Enum) -> str:
    """`waiting_payment` of AccountStatus.WAITING_PAYMENT."""
    return member.name.lower()


def described(default: Any, label: str, help: str, kind: Kind, **about: Any) -> Any:
    """A field of the model: its default and, for `fields_of`, the rest of its description."""
    about = {"label": label, "help": help, "kind": kind, **about}
    shown = kind is not Kind.SECRET
    return dataclasses.field(default=default, repr=shown, metadata={"about": about})


def fields_of(*sections: tuple[Section, type]) -> tuple[AccountField, ...]:
    """The fields that classes of the model declare with `described`, in their order."""
    return tuple(
        _field(section, each)
        for section, model in sections
        for each in dataclasses.fields(model)
        if each.name in model.__annotations__ and "about" in each.metadata
    )


def _field(section: Section, declared: "dataclasses.Field[Any]") -> AccountField:
    about = dict(declared.metadata["about"])
    name = about.pop("name", declared.name)
    return AccountField(
        name=name, attribute=declared.name, section=section, default=declared.default, **about
    )
