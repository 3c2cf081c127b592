"""Cells of rate sheets, in the ways carriers write them. Each reader raises CellError."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from rating.money import MoneyError, parse_money
from rating.rate import MAX_PREFIX_DIGITS, MAX_SECONDS, RateError, Stage
from rating.sheet_words import (
    AT_ONCE_WORDS,
    BLOCK_WORDS,
    DELETE_WORDS,
    MONTHS,
    NO_WORDS,
    PRICE_WORDS,
    YES_WORDS,
    folded,
)

MAX_PREFIXES_IN_CELL = 10_000
"""More prefixes than any carrier lists in one cell; a wider range is a mistake."""


class CellError(ValueError):
    """The cell is not what its column holds; the message shows it and says what is expected."""


class DateOrder(StrEnum):
    """The order in which a sheet writes day, month and year."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


class Action(StrEnum):
    """What a row does with its prefix."""

    PRICE = "price"
    BLOCK = "block"
    DELETE = "delete"


_ACTION_OF = (
    dict.fromkeys(PRICE_WORDS, Action.PRICE)
    | dict.fromkeys(BLOCK_WORDS, Action.BLOCK)
    | dict.fromkeys(DELETE_WORDS, Action.DELETE)
)

_CURRENCY = re.compile(
    r"^([A-Z]{3}|[$€£¥])?\s*([0-9.,]+)\s*([A-Z]{3}|[$€£¥])?"
    r"(?:\s*(?:/|per |pro |par |por )\s*[Mm]in(?:ute|uto)?\.?)?$"
)
_SPACED_THOUSANDS = re.compile(
    r"(?<![0-9])([0-9]{1,3}(?:[ \u00a0\u202f'’][0-9]{3})+)(?=[.,]|[^0-9]|$)"
)
CURRENCIES_OF_SIGN = {
    "€": frozenset(("EUR",)),
    "£": frozenset(("GBP",)),
    "¥": frozenset(("JPY", "CNY")),
    "$": frozenset(
        (
            *("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "BRL", "MXN", "ARS", "CLP", "COP"),
            *("UYU", "DOP", "CUP", "NIO", "BOB", "BBD", "BMD", "BSD", "BZD", "BND", "FJD", "GYD"),
            *("JMD", "KYD", "LRD", "NAD", "SBD", "SRD", "TOP", "TTD", "WST", "XCD", "ZWL"),
        )
    ),
}
"""A sign says which currencies an amount may be in, and so which it is not."""
_SECONDS = re.compile(r"([0-9]{1,8})\s*(?:s|sec|secs|seconds?)?", re.ASCII | re.IGNORECASE)
_INCREMENTS = re.compile(
    r"([0-9]{1,8})\s*s?(?:ec)?(?:\s*[/+:,;|-]\s*([0-9]{1,8})\s*s?(?:ec)?)?",
    re.ASCII | re.IGNORECASE,
)
_NUMERIC_DATE = re.compile(
    r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{2,4})"
    r"(?:[ T]+([0-9]{1,2}:[0-9]{2})(:[0-9]{2})?(?: ?([AP]M))?)?",
    re.ASCII | re.IGNORECASE,
)
_YEARS = range(1900, 3000)
"""Others can be neither stored nor reckoned with."""
_WEEKDAY = r"(?:[a-z]{2,10}\.?, *)?"
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th|er)?"
_NAMED_DATE = re.compile(
    _WEEKDAY + _DAY + r"[ ./-]+(?:de )?([a-z]{3,})\.?[ ,./-]+(?:de )?([0-9]{4}|[0-9]{2})"
)
_MONTH_FIRST_DATE = re.compile(
    _WEEKDAY + r"([a-z]{3,})\.?[ ./-]+" + _DAY + r"(?:, *| +|[./-])([0-9]{4})"
)
_BRACKETED = re.compile(r"(\+?[0-9]{1,4})\s*\(([0-9]{1,5})\)\s*([0-9]*)", re.ASCII)
_STAGE = re.compile(r"([0-9]{1,8})@([0-9.]+)(?:/([0-9]{1,8}))?(?:\+([0-9.]+))?", re.ASCII)


def shown(text: str) -> str:
    """The cell as an error message shows it."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def decimal_sign(cells: Iterable[str]) -> str | None:
    """The sign before the decimals in these prices: ``.`` or ``,``; None if that cannot be told.

    ``1,234`` alone may be either; ``0,0125`` or ``1.234,56`` anywhere in the sheet settle it.
    """
    votes = {".": 0, ",": 0}
    doubtful = False
    for cell in cells:
        amount = cell.strip()
        if not (amount.isascii() and amount.replace(".", "", 1).isdigit()):
            match = _CURRENCY.match(amount)
            amount = match[2] if match else ""
        signs = [sign for sign in ".," if sign in amount]
        if len(signs) == 2:
            votes[max(signs, key=amount.rfind)] += 1
        elif signs:
            whole, _, rest = amount.partition(signs[0])
            if signs[0] in rest:
                votes["," if signs[0] == "." else "."] += 1
            elif len(rest) == 3 and 1 <= len(whole) <= 3 and whole[0] != "0":
                doubtful = doubtful or signs[0] == ","
            else:
                votes[signs[0]] += 1
    if not any(votes.values()):
        return None if doubtful else "."
    return "," if votes[","] > votes["."] else "."


def is_amount(text: str) -> bool:
    """Whether a cell is an amount with or without a currency, whatever sign it has."""
    match = _CURRENCY.match(text)
    return match is not None and any(map(str.isdigit, match[2]))


def is_block_or_delete(text: str) -> bool:
    """Whether a cell blocks or deletes its prefix where a price would stand."""
    return _ACTION_OF.get(" ".join(folded(text).split())) in (Action.BLOCK, Action.DELETE)


def read_money(text: str, sign: str = ".", currency: str = "") -> int:
    """Micros of a price with `sign` before its decimals.

    A currency may stand beside it, but no other than `currency` (empty: any will do)."""
    if sign == "." and text.isascii() and text.replace(".", "", 1).isdigit() and text[0] != ".":
        return _plain_money(text)
    text = _SPACED_THOUSANDS.sub(lambda found: re.sub(r"[^0-9]", "", found[1]), text)
    match = _CURRENCY.match(text)
    amount = text
    if match:
        amount = match[2]
        for beside in filter(None, match.group(1, 3)):
            if currency and currency not in CURRENCIES_OF_SIGN.get(beside, (beside,)):
                raise CellError(f"{shown(text)}: the card is in {currency}")
    thousands = "," if sign == "." else "."
    if thousands in amount:
        whole, _, decimals = amount.partition(sign)
        if not re.fullmatch(rf"[0-9]{{1,3}}(?:\{thousands}[0-9]{{3}})+", whole):
            raise CellError(f"{shown(text)} is not an amount with {sign!r} before its decimals")
        amount = whole.replace(thousands, "") + (sign + decimals if decimals else "")
    if amount.startswith(sign) and amount[1:].isdigit():
        amount = "0" + amount  # .011, as programs write it that leave out the zero
    return _plain_money(amount.replace(sign, "."))


def _plain_money(text: str) -> int:
    try:
        return parse_money(text)
    except MoneyError as error:
        # Databases write as many decimals as their column has: 0.0100000000 is 0.01.
        exact = re.fullmatch(r"([0-9]+\.[0-9]{6})0+", text, re.ASCII)
        if exact is None:
            raise CellError(str(error)) from error
        return _plain_money(exact[1])


def read_seconds(text: str) -> int:
    """Whole seconds, like ``60`` or ``60 s``."""
    match = _SECONDS.fullmatch(text)
    if match is None or int(match[1]) > MAX_SECONDS:
        raise CellError(f"{shown(text)} is not a number of whole seconds")
    return int(match[1])


def read_increments(text: str) -> tuple[int, int]:
    """Initial and further increment of ``60/6``; ``60`` alone is both."""
    match = _INCREMENTS.fullmatch(text)
    if match is None:
        raise CellError(f"{shown(text)} is not like 60/6")
    return int(match[1]), int(match[2] or match[1])


def read_date(
    text: str, order: DateOrder | None, zone: tzinfo, *, as_end: bool = False
) -> datetime | None:
    """UTC instant of a date (its midnight in `zone`) or a time; None for ``immediately``.

    ISO and named months say themselves which is which; other dates need the sheet's `order`.
    `as_end`: what ends at a date without a time ends with that day, and None is never.
    """
    if folded(text) in AT_ONCE_WORDS:
        return None
    try:
        date = _iso_date(text) or _named_date(text) or _ordered_date(text, order)
        if date is not None and as_end and date.year > _YEARS[-1]:
            return None  # 9999-12-31: never
        if date is not None and date.year in _YEARS:
            if as_end and ":" not in text:
                date += timedelta(days=1)
            return (date if date.tzinfo else date.replace(tzinfo=zone)).astimezone(UTC)
    except CellError:
        raise
    except (ValueError, OverflowError):
        pass
    raise CellError(f"{shown(text)} is not a date like 2025-01-31 or 2025-01-31T08:00:00Z")


def _iso_date(text: str) -> datetime | None:
    """Also 20250131, which is nothing else: day or month first, its middle would be month 20."""
    if re.match(r"[0-9]{4}-[0-9]{2}", text, re.ASCII):
        return datetime.fromisoformat(text)
    if re.fullmatch(r"[0-9]{8}", text, re.ASCII):
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))
    return None


def _named_date(text: str) -> datetime | None:
    text = folded(text)
    match = _NAMED_DATE.fullmatch(text)
    if match is not None:
        return datetime(_year(match[3]), _month(match[2]), int(match[1]))
    match = _MONTH_FIRST_DATE.fullmatch(text)
    if match is not None:
        return datetime(int(match[3]), _month(match[1]), int(match[2]))
    return None


def _month(name: str) -> int:
    month = MONTHS.get(name[:3]) or MONTHS.get(name[:4])
    if month is None:
        raise ValueError
    return month


def _ordered_date(text: str, order: DateOrder | None) -> datetime | None:
    match = _NUMERIC_DATE.fullmatch(text)
    if match is None:
        return None
    if len(match[1]) == 4:
        order = DateOrder.YMD
    if order is None:
        message = "day or month first? Declare it (--dates dmy or --dates mdy), or write 2025-01-31"
        raise CellError(f"{shown(text)}: {message}")
    parts = {name: match[group] for name, group in zip(order, (1, 3, 4), strict=True)}
    if len(parts["d"]) > 2 or len(parts["m"]) > 2 or len(parts["y"]) == 3:
        raise ValueError
    date = datetime(_year(parts["y"]), int(parts["m"]), int(parts["d"]))
    if match[5]:
        half = match[7] or ""
        text = match[5] + (match[6] or ":00") + half
        clock = datetime.strptime(text, "%I:%M:%S%p" if half else "%H:%M:%S")
        date = datetime.combine(date.date(), clock.time())
    return date


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def read_prefixes(text: str, country_code: str = "") -> list[str]:
    """Every prefix of a cell: ``44``, ``+44``, ``0044``, ``4420, 4421; 4430-4439``, ``4420 4421``,
    ``4420 to 4429``, ``44*``, ``+44 (0)20``.

    Both ends of a range have the same number of digits. `country_code` goes before each.
    """
    code = country_code.removeprefix("+").removeprefix("00")
    plain = text.isascii() and text.isdigit() and text[0] != "0"
    if plain and not code and len(text) <= MAX_PREFIX_DIGITS:
        return [text]
    cell = re.sub(
        r"\s*(?:[-–—]|\.{2,}|…)\s*|(?<=[0-9*])\s+(?:to|bis|à|al?)\s+(?=[+0-9])",
        "-",
        _unescaped(text.strip()),
    )
    cell = _BRACKETED.sub(_without_brackets, cell)
    parts = re.split(r"\s*[,;/|\n]\s*" if re.search(r"[,;/|\n]", cell) else r"\s+", cell)
    _check_spaces(cell, parts)
    if not code:
        _check_ends(parts)
    prefixes: list[str] = []
    for part in parts:
        if part or len(parts) == 1:
            prefixes += (code + prefix for prefix in _range(part, has_code=bool(code)))
        if len(prefixes) > MAX_PREFIXES_IN_CELL:
            raise CellError(f"{shown(text)} has more than {MAX_PREFIXES_IN_CELL} prefixes")
    for index, prefix in enumerate(prefixes):
        if not code and prefix.startswith("00"):
            # No number begins so once it has its country code: it would price nothing.
            prefix = prefixes[index] = prefix[2:]
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= MAX_PREFIX_DIGITS):
            raise CellError(f"{shown(prefix)} is not 1 to {MAX_PREFIX_DIGITS} digits")
    return prefixes


def _without_brackets(found: re.Match[str]) -> str:
    """A country code and what stands in brackets behind it: ``+49 (0)30``, ``+1 (684)``."""
    code, inside, rest = found.groups()
    return code + ("" if inside == "0" else inside) + rest


def _unescaped(text: str) -> str:
    """Without what keeps a spreadsheet from making a number of it: ``="44"``, ``'44``."""
    match = re.fullmatch(r'="([^"]*)"|\'(.*)', text)
    return text if match is None else (match[1] or match[2] or "")


def _check_spaces(cell: str, parts: Sequence[str]) -> None:
    """Spaces may stand between prefixes or within one: ``1 684`` must not price all of 1.

    Several prefixes of a cell are those of one country: they begin alike."""
    separated = re.search(r"[,;/|\n]", cell)
    several = [part.split() for part in parts] if separated else [list(parts)]
    for words in several:
        if len(words) > 1 and (
            any(part.startswith("+") for part in words)
            or any(len(part) < 3 or part[:2] != words[0][:2] for part in words)
        ):
            message = "one prefix with spaces or several? Write them together, or commas between"
            raise CellError(f"{shown(cell)}: {message}")


def _check_ends(parts: Sequence[str]) -> None:
    """``4420, 21, 22`` is London, or it is Algeria and others as well: shorter ones that would be
    in the place of the first one's last digits."""
    first, *others = parts
    lengths = {len(other) for other in others}
    if len(lengths) != 1 or not first.isdigit() or not all(map(str.isdigit, others)):
        return
    (length,) = lengths
    if 1 < length < len(first) and all(other[0] == first[-length] for other in others):
        message = f"{shown(', '.join(others))}: prefixes, or ends of {first}? Write each in full"
        raise CellError(message)


def _range(part: str, *, has_code: bool) -> Iterator[str]:
    first, dash, last = (end.removeprefix("+").rstrip("*%") for end in part.partition("-"))
    if not dash:
        if first or part or not has_code:
            yield first
        else:
            yield ""  # an empty cell beside a country code is the country itself
        return
    if not (first + last).isascii() or not first.isdigit() or not last.isdigit():
        raise CellError(f"{shown(part)} is not a range like 4420-4429")
    if len(first) != len(last) or last < first:
        raise CellError(f"{shown(part)}: a range goes up, between numbers of as many digits")
    if int(last) - int(first) >= MAX_PREFIXES_IN_CELL:
        raise CellError(f"{shown(part)} is more than {MAX_PREFIXES_IN_CELL} prefixes")
    for number in range(int(first), int(last) + 1):
        yield f"{number:0{len(first)}d}"


def read_action(text: str) -> Action:
    """What a row does, from the words carriers put into such columns."""
    action = _ACTION_OF.get(" ".join(folded(text).split()))
    if action is None:
        raise CellError(f"{shown(text)} is not known: use new, delete or block")
    return action


def read_yes(text: str) -> bool:
    """Whether a cell of a column ``blocked`` says so."""
    word = folded(text)
    if word not in YES_WORDS and word not in NO_WORDS:
        raise CellError(f"{shown(text)} is neither yes nor no")
    return word in YES_WORDS


def read_stages(text: str) -> tuple[Stage, ...]:
    """Stages like ``60@0.10/30+0.05 120@0.08``: length@price per minute/increment+entry fee."""
    stages: list[Stage] = []
    for part in text.split():
        match = _STAGE.fullmatch(part)
        if match is None:
            raise CellError(f"{shown(part)} is not a stage like 60@0.10/30+0.05")
        try:
            stages.append(
                Stage(
                    length_s=int(match[1]),
                    price_micros_per_minute=parse_money(match[2]),
                    increment_s=int(match[3] or 1),
                    entry_fee_micros=parse_money(match[4] or "0"),
                )
            )
        except (MoneyError, RateError) as error:
            raise CellError(f"{shown(part)}: {error}") from error
    return tuple(stages)
