"""The period of a movement: part of its id, so that a partition never depends on today's clock."""

from datetime import date, datetime


def period_of(started_at: datetime) -> date:
    """The first day of the UTC month in which the call or the movement began."""
    return date(started_at.year, started_at.month, 1)
