"""What an operator types to find a customer, as terms for the database. Pure.

Found are customers all of whose words begin so: names, company, email, city, web login, phone,
serial, MAC address; those with a CallerID that begins so; and the one with exactly this account
number (not with a part of it: a search must not help to guess a secret).
"""

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"[+]?[0-9][0-9 ()./-]*")
_MAC = re.compile(r"([0-9A-F]{2}[-:]){2,5}[0-9A-F]{0,2}", re.IGNORECASE)
_OF_MAIL = re.compile(r"[^@]+@")
_MOST_WORDS = 8
_SHORTEST_CALLERID = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """`words` is a query of PostgreSQL's text search; None means that nothing is sought there."""

    words: str | None = None
    callerid: str | None = None
    account_number: str | None = None


def search_terms(text: str) -> SearchTerms:
    """The terms of a text; of an empty one none."""
    text = text.replace("\0", "").strip()
    if not text:
        return SearchTerms()
    if _MAC.fullmatch(text):
        return SearchTerms(words=_query([re.sub("[-:]", "", text)]))
    if _NUMBER.fullmatch(text):
        digits = re.sub("[^0-9]", "", text)
        return SearchTerms(
            words=_query([digits]),
            callerid=digits if len(digits) >= _SHORTEST_CALLERID else None,
            account_number=digits,
        )
    return SearchTerms(words=_query(text.split()[:_MOST_WORDS]))


def _query(words: list[str]) -> str:
    """All of the words, each the beginning of one; of `example.com` the parts may do as well.

    Of such parts only the last is a beginning, the others are typed to their end. A mail address is
    never taken apart: nearly every other one has its parts.
    """
    return " & ".join(_word(word.lower()) for word in words)


def _word(word: str) -> str:
    parts = [part for part in re.split(r"[\W_]+", word) if part]
    if len(parts) < 2 or _OF_MAIL.match(word):
        return _beginning(word)
    *whole, last = parts
    return f"({_beginning(word)} | ({' & '.join([*map(_quoted, whole), _beginning(last)])}))"


def _beginning(word: str) -> str:
    return f"{_quoted(word)}:*"


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"
