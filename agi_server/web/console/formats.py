"""Money, times and durations as an operator of a language and a time zone reads them."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, get_day_names
from babel.numbers import format_currency, format_decimal, format_percent

from rating.hours import Interval, short_hours
from rating.money import MICROS_PER_UNIT

# Counts and percents recur in a table of hundreds of rows, and each takes 20 µs to write.
_FIGURES_KEPT = 4096


@lru_cache(maxsize=8)
def _locale(language: str) -> Locale:
    return Locale.parse(language)


def language_name(code: str, language: str) -> str:
    """`French (fr)` of `fr`, as the language writes it; the code where that has no word for it."""
    try:
        name = Locale.parse(code, sep="-" if "-" in code else "_").get_display_name(language)
    except (ValueError, UnknownLocaleError):
        name = None
    return f"{name} ({code})" if name else code


def money(micros: int | None, currency: str | None, language: str) -> str:
    """`€1,234.50`; more than the usual decimals only where there are any."""
    if micros is None or currency is None:
        return ""
    amount = Decimal(micros) / MICROS_PER_UNIT
    text: str = format_currency(
        amount, currency, locale=_locale(language), decimal_quantization=False
    )
    return text


@lru_cache(maxsize=_FIGURES_KEPT)
def number(value: int | None, language: str) -> str:
    """With separators of thousands."""
    if value is None:
        return ""
    text: str = format_decimal(value, locale=_locale(language))
    return text


@lru_cache(maxsize=_FIGURES_KEPT)
def percent(basis_points: int | None, language: str) -> str:
    """`71.43 %` of 7143, as the language writes it."""
    if basis_points is None:
        return ""
    text: str = format_percent(
        Decimal(basis_points) / 10_000, locale=_locale(language), decimal_quantization=False
    )
    return text


def hours(intervals: Iterable[Interval], language: str) -> str:
    """Hours of the week, with the days in short."""
    names = get_day_names("abbreviated", locale=_locale(language))
    return short_hours(intervals, [names[day] for day in range(7)])


def moment(value: datetime | None, zone: str, language: str) -> str:
    """Date and time in a zone, to the second."""
    if value is None:
        return ""
    text: str = format_datetime(
        value, format="medium", tzinfo=ZoneInfo(zone), locale=_locale(language)
    )
    return text


def day(value: datetime, zone: str, language: str) -> str:
    """A short date in a zone."""
    return calendar_day(value.astimezone(ZoneInfo(zone)).date(), language)


def calendar_day(value: date, language: str) -> str:
    """A date of no zone."""
    text: str = format_date(value, format="medium", locale=_locale(language))
    return text


def clock(duration_ms: int | None) -> str:
    """`1:35`, or `2:00:05` from an hour on."""
    if duration_ms is None:
        return ""
    minutes, seconds = divmod(max(0, duration_ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
