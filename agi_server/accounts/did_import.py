"""Many DIDs from one file: all of them or, when one cannot be, none."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from agi_server.accounts.audit import Editor
from agi_server.accounts.csv_lines import (
    BulkRefusedError,
    CsvLine,
    LineProblem,
    problems_of,
    read_csv_lines,
)
from agi_server.accounts.customers import id_named, unknown_account
from agi_server.accounts.new_dids import NewDid, plain_faults, store_dids, stored_faults
from agi_server.refused import InvalidFieldError
from agi_server.storage.postgres.parts import in_parts
from agi_server.storage.postgres.statements import statement

COLUMNS = ("number", "customer", "group", "plan", "valid_from", "valid_until", "destinations")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DidLine:
    """One DID of the file, where it stands there, and whose it is to be (empty: nobody's)."""

    line: int
    new: NewDid
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DidFile:
    """The DIDs of a file, and what is wrong with it already as a text."""

    lines: Sequence[DidLine]
    problems: Sequence[LineProblem]


def read_did_file(text: str) -> DidFile:
    """The DIDs of a CSV file whose header has some of COLUMNS, `number` at least.

    Destinations stand in the order of ringing, with blanks between them. Raises BulkRefusedError
    when it is no such file.
    """
    read, problems = read_csv_lines(
        text, COLUMNS, needed=["number"], unknown="is no column of DIDs", of="DID"
    )
    lines = [_line(each, problems) for each in read if any(map(str.strip, each.texts.values()))]
    return DidFile(lines=lines, problems=problems)


async def import_dids(
    pool: Any,
    file: DidFile,
    editor: Editor,
    reached: Callable[[int], None] = lambda done: None,
) -> int:
    """Add the DIDs in one transaction, and tell how many; `reached` is told how many are stored.

    Raises BulkRefusedError with all that is wrong: then nothing was added.
    """
    async with pool.acquire() as db, db.transaction():
        owners = await _owners(db, {each.customer for each in file.lines if each.customer})
        news = [replace(each.new, account_id=owners.get(each.customer)) for each in file.lines]
        problems = [*file.problems, *_line_problems(file.lines, owners)]
        for place, fault in await stored_faults(db, news):
            problems += problems_of(file.lines[place].line, fault)
        if problems:
            raise BulkRefusedError(problems)
        await store_dids(db, news, editor, reached)
    if owners:
        log.info(
            "account.changed",
            accounts=len(set(owners.values())),
            field="dids",
            by=editor.changed_by,
        )
    return len(news)


async def _owners(db: Any, names: Collection[str]) -> dict[str, int]:
    """The ids of accounts by how a file names them, those that there are."""
    found: dict[str, int] = {}
    for some in in_parts(sorted(names)):
        ids = {name: account_id for name in some if (account_id := id_named(name)) is not None}
        rows = await db.fetch(
            statement("dids/owners"),
            [name for name in some if name not in ids],
            list(ids.values()),
        )
        by_number = {row["account_number"]: row["id"] for row in rows}
        there = set(by_number.values())
        found |= {name: by_number[name] for name in some if name in by_number}
        found |= {name: account_id for name, account_id in ids.items() if account_id in there}
    return found


def _line_problems(lines: Sequence[DidLine], owners: Mapping[str, int]) -> Iterator[LineProblem]:
    for each in lines:
        if each.customer and each.customer not in owners:
            yield from problems_of(each.line, unknown_account(each.customer))
        for fault in plain_faults(each.new, has_owner=bool(each.customer)):
            yield from problems_of(each.line, fault)


def _line(read: CsvLine, problems: list[LineProblem]) -> DidLine:
    """The DID of a line; what is no time there is one more problem."""
    texts = {name: cell.strip() for name, cell in read.texts.items()}
    moments: list[datetime | None] = []
    for field in ("valid_from", "valid_until"):
        try:
            moments.append(_moment(field, texts.get(field, "")))
        except InvalidFieldError as error:
            problems += problems_of(read.line, error)
            moments.append(None)
    return DidLine(
        line=read.line,
        customer=texts.get("customer", ""),
        new=NewDid(
            number=texts["number"],
            group=texts.get("group") or None,
            plan=texts.get("plan") or None,
            destinations=tuple(texts.get("destinations", "").split()),
            valid_from=moments[0],
            valid_until=moments[1],
        ),
    )


def _moment(field: str, text: str) -> datetime | None:
    """An instant, in UTC unless it says otherwise; None for an empty text."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidFieldError(field, "must be a time like 2027-03-01T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
