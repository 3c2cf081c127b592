"""Many DIDs from one file: all of them or, when one cannot be, none."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from agi_server.accounts.audit import Editor
from agi_server.accounts.bulk import BulkRefusedError, LineProblem
from agi_server.accounts.customers import find_named
from agi_server.accounts.did_destinations import MOST_DESTINATIONS
from agi_server.accounts.dids import Did, NewDid, add_did
from agi_server.refused import InvalidFieldError, RefusedError

MOST_DIDS = 100_000
COLUMNS = ("number", "customer", "group", "plan", "valid_from", "valid_until", "destinations")


@dataclass(frozen=True, slots=True, kw_only=True)
class DidLine:
    """One DID of the file, where it stands there, and whose it is to be."""

    line: int
    new: NewDid
    customer: str


def read_did_lines(text: str) -> list[DidLine]:
    """The lines of a CSV file whose header has some of COLUMNS, `number` at least.

    Destinations stand in the order of ringing, with blanks between them. Raises BulkRefusedError.
    """
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
    problems: list[LineProblem] = []
    lines: list[DidLine] = []
    try:
        header = [name.strip().lower().replace("-", "_") for name in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                if len(cells) != len(header):
                    raise InvalidFieldError("", "has not as many cells as the header")
                lines.append(_line(reader.line_num, dict(zip(header, cells, strict=True))))
            except InvalidFieldError as error:
                problems.append(_problem(reader.line_num, error))
    except csv.Error as error:
        raise BulkRefusedError(
            [LineProblem(line=reader.line_num, field="", message=str(error))]
        ) from None
    if not lines and not problems:
        problems.append(LineProblem(line=1, field="", message="there is no DID in the file"))
    if len(lines) > MOST_DIDS:
        message = f"there are more than {MOST_DIDS} DIDs"
        problems.append(LineProblem(line=MOST_DIDS + 2, field="", message=message))
    if problems:
        raise BulkRefusedError(problems)
    return lines


async def import_dids(
    pool: Any,
    lines: Sequence[DidLine],
    editor: Editor,
    reached: Callable[[int], None] = lambda done: None,
) -> list[Did]:
    """Add the DIDs in one transaction; `reached` is told how many were looked at.

    Raises BulkRefusedError with all that is wrong: then nothing was added.
    """
    problems: list[LineProblem] = []
    added: list[Did] = []
    async with pool.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        try:
            for done, each in enumerate(lines, 1):
                reached(done)
                try:
                    async with db.transaction():
                        new = await _with_owner(db, each)
                        added.append(await add_did(db, new, editor))
                except (InvalidFieldError, RefusedError) as error:
                    problems.append(_problem(each.line, error))
        except BaseException:
            await transaction.rollback()
            raise
        if problems:
            await transaction.rollback()
            raise BulkRefusedError(problems)
        await transaction.commit()
    return added


async def _with_owner(db: Any, line: DidLine) -> NewDid:
    if not line.customer:
        return line.new
    return replace(line.new, account_id=(await find_named(db, line.customer)).id)


def _check_header(header: Sequence[str]) -> None:
    problems = [
        LineProblem(line=1, field=name, message="is no column of DIDs")
        for name in header
        if name not in COLUMNS
    ]
    if "number" not in header:
        problems.append(LineProblem(line=1, field="number", message="this column is missing"))
    if len(set(header)) != len(header):
        problems.append(LineProblem(line=1, field="", message="a column stands twice"))
    if problems:
        raise BulkRefusedError(problems)


def _line(line: int, cells: dict[str, str]) -> DidLine:
    texts = {name: cell.strip() for name, cell in cells.items()}
    destinations = tuple(texts.get("destinations", "").split())
    if len(destinations) > MOST_DESTINATIONS:
        raise InvalidFieldError("destinations", f"at most {MOST_DESTINATIONS} are possible")
    return DidLine(
        line=line,
        customer=texts.get("customer", ""),
        new=NewDid(
            number=texts["number"],
            group=texts.get("group") or None,
            plan=texts.get("plan") or None,
            valid_from=parse_moment("valid_from", texts.get("valid_from", "")),
            valid_until=parse_moment("valid_until", texts.get("valid_until", "")),
            destinations=destinations,
        ),
    )


def parse_moment(field: str, text: str) -> datetime | None:
    """An instant, in UTC unless it says otherwise; None for an empty text."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidFieldError(field, "must be a time like 2027-03-01T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _problem(line: int, error: InvalidFieldError | RefusedError) -> LineProblem:
    message = error.message if isinstance(error, InvalidFieldError) else str(error)
    return LineProblem(line=line, field=error.field or "", message=message)
