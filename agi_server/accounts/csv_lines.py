"""CSV files of customers or DIDs: their lines, and what is wrong with any of them."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agi_server.refused import InvalidFieldError, InvalidFieldsError, RefusedError

MOST_LINES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvLine:
    """A line after the header: texts by column, and where they stand in the file."""

    line: int
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem:
    """What is wrong with a line of the file; the field is empty where it is about all of it."""

    line: int
    field: str
    message: str


class BulkRefusedError(Exception):
    """Nothing was stored; `problems` says why, by line."""

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(f"{len(problems)} problems")


def read_csv_lines(
    text: str, columns: Collection[str], *, needed: Collection[str] = (), unknown: str, of: str
) -> tuple[list[CsvLine], list[LineProblem]]:
    """The lines of a file whose header has some of the columns, and those that are none.

    `unknown` is what is said of another column, `of` what the lines are of. Raises BulkRefusedError
    when the whole file is wrong.
    """
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BulkRefusedError([LineProblem(line=line, field="", message="has a NUL byte")])
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
    lines: list[CsvLine] = []
    problems: list[LineProblem] = []
    try:
        header = [name.strip().lower().replace("-", "_") for name in next(reader, [])]
        _check_header(header, columns, needed, unknown)
        for cells in reader:
            if len(cells) == len(header):
                texts = dict(zip(header, cells, strict=True))
                lines.append(CsvLine(line=reader.line_num, texts=texts))
            elif cells:
                message = "has not as many cells as the header"
                problems.append(LineProblem(line=reader.line_num, field="", message=message))
    except csv.Error as error:
        problem = LineProblem(line=reader.line_num, field="", message=str(error))
        raise BulkRefusedError([problem]) from None
    if not lines and not problems:
        problem = LineProblem(line=1, field="", message=f"there is no {of} in the file")
        raise BulkRefusedError([problem])
    if len(lines) > MOST_LINES:
        message = f"there are more than {MOST_LINES} {of}s"
        raise BulkRefusedError([LineProblem(line=MOST_LINES + 2, field="", message=message)])
    return lines, problems


def problems_of(line: int, error: InvalidFieldError | RefusedError) -> list[LineProblem]:
    """All that an error says of a line."""
    if isinstance(error, InvalidFieldsError):
        return [problem for each in error.problems for problem in problems_of(line, each)]
    field = error.field or ""
    message = error.message if isinstance(error, InvalidFieldError) else str(error)
    return [LineProblem(line=line, field=field, message=message.removeprefix(f"{field}: "))]


def _check_header(
    header: Sequence[str], columns: Collection[str], needed: Collection[str], unknown: str
) -> None:
    if not header:
        raise BulkRefusedError([LineProblem(line=1, field="", message="the file is empty")])
    wrong = [(name, unknown) for name in header if name not in columns]
    wrong += [(name, "this column is missing") for name in needed if name not in header]
    if len(set(header)) != len(header):
        wrong.append(("", "a column stands twice"))
    if wrong:
        raise BulkRefusedError(
            [LineProblem(line=1, field=name, message=message) for name, message in wrong]
        )
