"""Which column of a rate sheet is what: our own names, and the words carriers put into headers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rating.sheet_cells import CURRENCIES_OF_SIGN

PLAIN_HEADER = (
    "prefix",
    "destination",
    "price_per_minute",
    "initial",
    "increment",
    "connection_fee",
    "minimum_charge",
    "buy_price_per_minute",
    "buy_initial",
    "buy_increment",
    "effective_from",
)
"""Columns of the plain sheet (shared/contracts.md, section 8)."""
REQUIRED_COLUMNS = PLAIN_HEADER[:4]
MORE_COLUMNS = (
    "buy_connection_fee",
    "disconnection_fee",
    "disconnection_fee_after",
    "stages",
    "short_call_threshold",
    "short_call_time",
    "block_surcharge",
    "block",
    "grace",
    "hours",
    "effective_until",
    "action",
)
"""What else a rate may have; a plain sheet has them where it needs them."""

OTHER_COLUMNS = ("country_code", "increments", "buy_increments", "blocked", "currency")
"""What only carriers' sheets have."""

INCREMENT_COLUMNS = (
    ("initial", "increment", "increments"),
    ("buy_initial", "buy_increment", "buy_increments"),
)
"""Initial and further increment, and the column that has both as 60/6."""

MONEY_COLUMNS = {
    "price_per_minute": "price_micros_per_minute",
    "connection_fee": "connection_fee_micros",
    "minimum_charge": "minimum_charge_micros",
    "buy_price_per_minute": "buy_price_micros_per_minute",
    "buy_connection_fee": "buy_connection_fee_micros",
    "disconnection_fee": "disconnection_fee_micros",
    "block_surcharge": "block_surcharge_micros",
}
SECONDS_COLUMNS = {
    "initial": "initial_s",
    "increment": "increment_s",
    "buy_initial": "buy_initial_s",
    "buy_increment": "buy_increment_s",
    "disconnection_fee_after": "disconnection_fee_after_s",
    "short_call_threshold": "short_call_threshold_s",
    "short_call_time": "short_call_time_s",
    "block": "block_s",
    "grace": "grace_s",
}

_WORDS = {
    "prefix": (
        *("prefixes", "dial code", "dial codes", "dialcode", "dialcodes", "code", "codes"),
        *("destination code", "destination codes", "area code", "area codes", "dial prefix"),
        *("dialprefix", "number prefix", "dialing code", "dialing codes", "dialling code"),
        *("dialling codes", "full code", "dialed digits", "dialled digits", "digits"),
        *("city code", "city codes", "routing code", "number range", "number ranges", "ranges"),
        *("area prefix", "area prefixes", "city prefix", "destination prefix", "dial prefixes"),
        *("breakout code", "breakout codes", "breakout prefix", "code prefix", "prefix code"),
        *(
            "destination prefixes",
            "number prefixes",
            "e164 prefix",
            "e 164 prefix",
            "e164",
            "e 164",
        ),
        *("prefix list", "code list", "called prefix", "phone prefix", "phone code"),
    ),
    "country_code": ("cc", "country dial code", "country prefix", "country codes", "idd code"),
    "destination": (
        *("destination name", "description", "name", "zone", "location", "route name", "area"),
        *("destination description", "carrier destination", "country destination", "area name"),
        *("zone name", "country network", "region", "destinations", "country operator"),
        *("breakout name", "breakout description", "code name", "code description", "area desc"),
        *("prefix name", "prefix description", "dial code name", "destination zone"),
        *("area description", "route description", "zone description", "dest name", "dest"),
    ),
    "price_per_minute": (
        *("price", "rate", "rate per minute", "price min", "rate min", "new rate", "new price"),
        *("sell rate", "sell price", "sale price", "per minute", "charge per minute", "tariff"),
        *("minute rate", "minute price", "price per min", "rate per min", "per min", "call rate"),
        *("sell price per minute", "sell rate per minute", "retail price", "retail rate"),
        *("standard rate", "rates", "prices", "amount per minute", "offered rate", "offer rate"),
        *("your rate", "flat rate", "voice rate", "final rate", "current rate", "call price"),
        *("usd min", "eur min", "gbp min", "rate a minute", "price a minute"),
    ),
    "initial": (
        *("initial increment", "first increment", "initial interval", "first interval", "i1"),
        *("min duration", "minimum duration", "minimum time", "interval 1", "initial period"),
        *("first period", "initial block", "init block", "initial billing", "min time"),
        *("initial charge interval", "minimum billing", "initial unit", "min"),
    ),
    "increment": (
        *("next increment", "subsequent increment", "additional increment", "further increment"),
        *("interval n", "next interval", "second increment", "subsequent period", "in", "inc"),
        *("next period", "subsequent interval", "billing block", "next billing", "subsequent"),
        *("further increments", "incr"),
    ),
    "increments": (
        *("billing increment", "billing increments", "billing", "rounding", "billing interval"),
        *("billing terms", "interval", "intervals", "charging interval", "charging increments"),
        *("pulse", "billing pulse", "billing cycle", "charging increment", "charge increment"),
        *("rounding rules", "tariff interval", "billing structure", "call rounding"),
        *("min inc", "billing unit", "initial increment next increment", "billing rule"),
        *("call increments", "rounding rule", "sell increments"),
    ),
    "buy_increments": ("cost increments", "buy increment s", "buy billing increments"),
    "connection_fee": (
        *("setup fee", "connect fee", "connection charge", "connect charge", "call setup"),
        *("setup charge", "connect cost", "set up fee", "set up charge", "call setup fee"),
        *("initial fee", "per call", "price per call", "rate per call"),
    ),
    "minimum_charge": ("min charge", "minimum cost", "minimal cost", "minimum price"),
    "buy_price_per_minute": (
        *("buy rate", "buy price", "cost", "cost per minute", "our cost", "carrier rate"),
        *("purchase rate", "purchase price", "wholesale rate", "termination rate", "buying rate"),
        *("buying price", "buy rate per minute", "cost min", "cost per min", "carrier price"),
    ),
    "buy_connection_fee": ("buy setup fee", "buy connect fee", "cost per call"),
    "buy_initial": ("buy initial increment", "buy first increment"),
    "buy_increment": ("buy next increment", "buy further increment"),
    "disconnection_fee": ("disconnect fee", "disconnect charge", "disconnection charge"),
    "effective_from": (
        *("effective date", "effective", "valid from", "start date", "date effective", "start"),
        *("effective from date", "from date", "activation date", "valid since", "date"),
        *("effective as of", "begin date", "from", "eff date", "effective start date"),
        *("rate effective date", "active from", "active since", "implementation date"),
        *("effective date utc", "valid from date", "date of effect", "commencement date"),
    ),
    "effective_until": (
        *("valid until", "end date", "valid to", "expiry date", "effective to", "until"),
        *("effective until date", "stop date", "expires", "end", "valid till", "valid through"),
        *("effective end date", "end effective date", "expiration date", "effective till"),
    ),
    "action": (
        *("status", "change", "change type", "rate change", "code status", "type of change"),
        *("code change", "change code", "rate status", "comment on change", "change status"),
    ),
    "blocked": ("barred", "forbidden", "blocking"),
    "hours": ("time window", "time windows", "time of day", "days and hours", "time period"),
    "currency": ("curr", "ccy", "rate currency"),
}
_COLUMN_OF = {word: column for column, words in _WORDS.items() for word in words} | {
    name.replace("_", " "): name for name in (*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS)
}
_BREAKOUTS = ("breakout", "breakouts")
_VAGUE_DESTINATIONS = (*_BREAKOUTS, "country", "country name", "network", "operator", "carrier")
"""Say where a prefix is if no other column does; the first of them counts. Without a column of
prefixes a breakout is one."""
_CURRENCY_WORDS = frozenset(
    ("usd", "eur", "gbp", "chf", "cad", "aud", "inr", "us", "euro", "euros")
)
_UNIT_WORDS = frozenset(("sec", "secs", "seconds", "s"))
_OUR_COLUMNS = frozenset((*PLAIN_HEADER, *MORE_COLUMNS, *OTHER_COLUMNS))
_CODES = (
    *("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "INR", "JPY", "CNY", "HKD", "SGD", "BRL"),
    *("MXN", "ARS", "CLP", "COP", "PEN", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN"),
    *("RUB", "UAH", "ILS", "AED", "SAR", "EGP", "ZAR", "NGN", "KES", "GHS", "PKR", "BDT", "LKR"),
    *("THB", "VND", "IDR", "MYR", "KRW", "XOF", "XAF"),
)
"""Currencies that are told from other words of three letters in a heading."""
_CURRENCIES_OF = {code.lower(): frozenset((code,)) for code in _CODES} | CURRENCIES_OF_SIGN
_CURRENCIES_OF |= {
    "euro": frozenset(("EUR",)),
    "euros": frozenset(("EUR",)),
    "us$": frozenset(("USD",)),
}
_CENTS = frozenset(("cent", "cents", "ct", "cts", "eurocent", "eurocents", "¢", "pence", "penny"))
_A_SECOND = frozenset(("sec", "secs", "second", "seconds", "s"))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a sheet: what each cell of a row is (empty: nothing of ours)."""

    columns: tuple[str, ...]
    headings: tuple[str, ...]

    def heading(self, column: str) -> str:
        """The sheet's own word for one of our columns."""
        return self.headings[self.columns.index(column)] if column in self.columns else column


def column_of(heading: str) -> str:
    """Our name of a column, or empty for a heading that means nothing to us.

    Case, punctuation, currencies and units in the heading do not matter.
    """
    text = re.sub(r"\(.*?\)|\[.*?\]", " ", heading.lower())
    words = re.sub(r"[^a-z0-9]+", " ", text).split()
    for left_out in (frozenset[str](), _CURRENCY_WORDS, _CURRENCY_WORDS | _UNIT_WORDS):
        column = _COLUMN_OF.get(" ".join(word for word in words if word not in left_out))
        if column:
            return column
    return ""


def price_doubts(heading: str, currency: str) -> Iterator[str]:
    """Why the column of prices under this heading must not be read as they stand: it says another
    currency than the card's (empty: any will do), cents, or a price a second."""
    words = re.findall(r"us\$|[^\W\d_]+|[€£¢$¥]", heading.lower())
    named = [word for word in words if word in _CURRENCIES_OF]
    if currency and named and not any(currency in _CURRENCIES_OF[word] for word in named):
        said = ", ".join(sorted({word.upper() for word in named}))
        yield f"says {said}: the card is in {currency}"
    if not _CENTS.isdisjoint(words):
        yield "is in cents: prices are read in whole units, give them so"
    if not _A_SECOND.isdisjoint(words):
        yield "is a price a second: prices are read a minute, give them so"


def known_columns(cells: Sequence[str]) -> int:
    """How many of a row's cells are headings that we know."""
    return sum(
        bool(column_of(cell)) or _plain(cell) in _VAGUE_DESTINATIONS
        for cell in cells
        if cell.strip()
    )


def our_column(name: str) -> str:
    """One of our columns, by its own name or by a word that carriers use; else empty."""
    return name if name in _OUR_COLUMNS else column_of(name)


def layout_of(
    cells: Sequence[str], ignored: Sequence[str] = (), mapped: Sequence[tuple[str, str]] = ()
) -> Layout:
    """The layout that a header row describes; `ignored` headings mean nothing to us.

    `mapped` are headings with our names for them, which go before what we would read there.
    """
    headings = tuple(" ".join(cell.split()) for cell in cells)
    columns = ["" if heading in ignored else column_of(heading) for heading in headings]
    words = [
        "" if heading in ignored else " ".join(re.findall(r"[a-z0-9]+", heading.lower()))
        for heading in headings
    ]
    _map_headings(headings, columns, mapped)
    if "prefix" not in columns and "country_code" in columns:
        columns[columns.index("country_code")] = "prefix"
    _place_vague_headings(words, columns)
    for initial, increment, both in INCREMENT_COLUMNS:
        if initial not in columns and increment in columns and both not in columns:
            # One column for both, like "Increment" with 60/6 or 60 in it.
            columns[columns.index(increment)] = both
        elif initial in columns and increment not in columns and both in columns:
            # The initial one has a column of its own, so "Interval" is the further one.
            columns[columns.index(both)] = increment
    return Layout(tuple(columns), headings)


def has_headings(cells: Sequence[str], mapped: Sequence[tuple[str, str]]) -> bool:
    """Whether a row has all of the mapped headings."""
    found = {_plain(cell) for cell in cells}
    return all(_plain(heading) in found for heading, _ in mapped)


def _plain(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def _map_headings(
    headings: Sequence[str], columns: list[str], mapped: Sequence[tuple[str, str]]
) -> None:
    wanted = {_plain(heading): our_column(name) for heading, name in mapped}
    for index, heading in enumerate(headings):
        if _plain(heading) in wanted:
            columns[index] = wanted[_plain(heading)]
        elif columns[index] in wanted.values():
            columns[index] = ""


def _place_vague_headings(words: Sequence[str], columns: list[str]) -> None:
    if "prefix" not in columns:
        for word in _BREAKOUTS:
            if word in words and not columns[words.index(word)]:
                columns[words.index(word)] = "prefix"
                break
    if "destination" not in columns:
        for word in _VAGUE_DESTINATIONS:
            if word in words and not columns[words.index(word)]:
                columns[words.index(word)] = "destination"
                break


def suggestion(heading: str) -> str:
    """Which of our headings an unknown one may have been meant for, or empty."""
    words = " ".join(re.sub(r"[^a-z0-9]+", " ", heading.lower()).split())
    close = get_close_matches(words, _COLUMN_OF, n=1, cutoff=0.85)
    return _COLUMN_OF[close[0]] if close else ""


def guess_layout(rows: Sequence[Sequence[str]]) -> Layout | None:
    """The layout of a sheet without a header, from what its cells look like; None if in doubt.

    One column of digits is the prefix, the first other column of amounts the price, one of
    increments like 60/6, one of ISO dates, and the first of words the destination.
    """
    width = max(map(len, rows), default=0)
    kinds = [
        _kind([row[index].strip() for row in rows if index < len(row)]) for index in range(width)
    ]
    columns = [""] * width
    for kind, most in (
        ("prefix", 1),
        ("price_per_minute", 1),
        ("increments", 1),
        ("effective_from", 1),
    ):
        found = [index for index in range(width) if kinds[index] == kind]
        if len(found) > most or (not found and kind in ("prefix", "price_per_minute")):
            return None
        for index in found:
            columns[index] = kind
    if "words" in kinds:
        columns[kinds.index("words")] = "destination"
    return Layout(tuple(columns), tuple(f"column {index + 1}" for index in range(width)))


def _kind(cells: Sequence[str]) -> str:
    filled = [cell for cell in cells if cell]
    for kind, pattern in (
        ("prefix", r"\+?[0-9]{1,15}"),
        ("price_per_minute", r"[0-9]*[.,][0-9]+"),
        ("increments", r"[0-9]+/[0-9]+"),
        ("effective_from", r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*"),
        ("words", r".*[^\W\d_].*"),
    ):
        if filled and all(re.fullmatch(pattern, cell) for cell in filled):
            return kind
    return ""
