"""The customer's history: dated notes with their author, of one line or more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import category

from agi_server.refused import InvalidFieldError
from agi_server.storage.postgres.statements import statement

LONGEST_NOTE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note."""

    id: int
    account_id: int
    written_at: datetime
    author: str
    note: str


async def add_note(db: Any, account_id: int, note: str, *, author: str, at: datetime) -> int:
    """Returns its id. Raises InvalidFieldError for an empty or endless one, and for control
    characters other than the ends of lines and tabs."""
    text = note.replace("\r\n", "\n").strip()  # forms end lines so
    if not text or len(text) > LONGEST_NOTE:
        raise InvalidFieldError("note", f"must have 1 to {LONGEST_NOTE} characters")
    if any(category(sign) == "Cc" and sign not in "\n\t" for sign in text):
        raise InvalidFieldError("note", "must have no control characters")
    note_id: int = await db.fetchval(
        statement("accounts/insert_note"), account_id, at, author, text
    )
    return note_id


async def list_notes(
    db: Any, account_id: int, *, before_id: int | None = None, limit: int = 100
) -> list[Note]:
    """The notes of an account, newest first."""
    rows = await db.fetch(statement("accounts/list_notes"), account_id, before_id, limit)
    return [Note(**row) for row in rows]
