"""Roles, and what each may do. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an operator is."""

    ADMIN = "admin"
    """Everything."""
    SUPPORT = "support"
    """Sees everything, changes nothing."""
    RESELLER = "reseller"
    """Works with the customers of one group, and sees nothing else."""


class Right(StrEnum):
    """One thing that an operator may or may not do."""

    SEE_BUSINESS = "see_business"
    """Rate cards, call plans, trunks, groups and settings; customers of every group."""
    CHANGE_CUSTOMERS = "change_customers"
    MOVE_MONEY = "move_money"
    """Refills and payments."""
    CORRECT_MONEY = "correct_money"
    """Balances that are changed without either."""
    END_CALLS = "end_calls"
    CHANGE_BUSINESS = "change_business"


_RIGHTS = {
    Role.ADMIN: frozenset(Right),
    Role.SUPPORT: frozenset({Right.SEE_BUSINESS}),
    Role.RESELLER: frozenset({Right.CHANGE_CUSTOMERS, Right.MOVE_MONEY, Right.END_CALLS}),
}


NOT_SET_BY_RESELLERS = frozenset(
    ("group", "series", "did_group", "campaign", "payment_type", "credit_limit", "discount")
)
"""Fields of a customer that a reseller does not set: new customers have them of their group. The
last three would be credit that no refill or payment tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who has proved who they are. `group_id` is set for resellers only: their scope."""

    id: int
    name: str
    role: Role
    group_id: int | None
    group: str | None
    language: str
    timezone: str

    def may(self, right: Right) -> bool:
        """Whether the role has this right."""
        return right in _RIGHTS[self.role]

    def sets(self, field: str) -> bool:
        """Whether the role sets this field of customers."""
        return self.role is not Role.RESELLER or field not in NOT_SET_BY_RESELLERS

    @property
    def signature(self) -> str:
        """Who did it, for the ledger, the log and the audit: `web:alice`."""
        return f"web:{self.name}"
