"""In which years a date may be: far from where clocks and zones end (years 1 and 9999)."""

from datetime import date


def check_year(day: date) -> None:
    """Raises ValueError: what is allowed."""
    if not 2000 <= day.year < 3000:
        raise ValueError("must be in the years 2000 to 2999")
