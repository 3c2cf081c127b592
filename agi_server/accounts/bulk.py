"""Many customers from one file: all of them or, when one cannot be, none."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts.account import FIELDS, Account, NewAccount
from agi_server.accounts.account_rows import hashes_of
from agi_server.accounts.customers import CreationRules, log_created, store_account
from agi_server.accounts.fields import Settable
from agi_server.accounts.groups import prepare_account
from agi_server.accounts.passwords import generate_password
from agi_server.accounts.phones import Credentials, create_missing_phones
from agi_server.refused import InvalidFieldError, InvalidFieldsError, RefusedError
from agi_server.settings import PhonesSettings
from rating.money import MoneyError, parse_money

MOST_CUSTOMERS = 100_000
REFILL = "refill"
"""The column of the first credit, beside those of the fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem:
    """What is wrong with a line of the file; the field is empty where it is about all of it."""

    line: int
    field: str
    message: str


class BulkRefusedError(Exception):
    """Nobody was created; `problems` says why, by line."""

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(f"{len(problems)} problems")


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """One customer to be created: texts by field name, and where they stand in the file."""

    line: int
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedCustomer:
    """A customer that was created; what is secret is there only now, the password when it was
    drawn."""

    line: int
    account: Account
    password: str | None
    phones: Sequence[Credentials]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    line: int
    new: NewAccount
    hashes: dict[str, str]
    refill_micros: int
    password: str | None


def read_customer_lines(text: str) -> list[CustomerLine]:
    """The lines of a CSV file whose header has names of fields, and `refill`.

    Raises BulkRefusedError for what is no such file.
    """
    known = {field.name for field in FIELDS if field.settable is not Settable.NEVER} | {REFILL}
    try:
        reader = csv.DictReader(text.removeprefix("\ufeff").splitlines(), strict=True)
        header = [name.strip().lower().replace("-", "_") for name in reader.fieldnames or ()]
        problems = [
            LineProblem(line=1, field=name, message="is no field of an account")
            for name in header
            if name not in known
        ]
        if not header:
            problems.append(LineProblem(line=1, field="", message="the file is empty"))
        if len(set(header)) != len(header):
            problems.append(LineProblem(line=1, field="", message="a column stands twice"))
        if problems:
            raise BulkRefusedError(problems)
        lines = []
        for cells in reader:
            if cells.get(None) or None in cells.values():
                message = "has not as many cells as the header"
                problems.append(LineProblem(line=reader.line_num, field="", message=message))
            texts = dict(zip(header, cells.values(), strict=False))
            lines.append(CustomerLine(line=reader.line_num, texts=texts))
    except csv.Error as error:
        raise BulkRefusedError([LineProblem(line=1, field="", message=str(error))]) from None
    if not lines:
        problems.append(LineProblem(line=1, field="", message="there is no customer in the file"))
    if len(lines) > MOST_CUSTOMERS:
        message = f"there are more than {MOST_CUSTOMERS} customers"
        problems.append(LineProblem(line=MOST_CUSTOMERS + 2, field="", message=message))
    if problems:
        raise BulkRefusedError(problems)
    return lines


async def create_accounts(
    pool: Any,
    lines: Sequence[CustomerLine],
    rules: CreationRules,
    *,
    phones: PhonesSettings,
    texts: Mapping[str, object],
    currency: str,
    generate_passwords: bool,
    created_by: str,
    at: datetime,
    reached: Callable[[int], None] = lambda done: None,
) -> list[CreatedCustomer]:
    """Create the customers, with their phones, in one transaction.

    `texts` are for fields that a line leaves empty.

    `reached` is told what is done, up to twice their number. Raises BulkRefusedError with
    everything that is wrong with any of them: then nobody was created.
    """
    problems: list[LineProblem] = []
    prepared: list[_Prepared] = []
    created: list[CreatedCustomer] = []
    # First all that takes long, such as hashing, and then all that locks.
    for done, line in enumerate(lines, start=1):
        merged = {**texts, **{name: text for name, text in line.texts.items() if text}}
        try:
            prepared.append(await _prepare(pool, line.line, merged, currency, generate_passwords))
        except (InvalidFieldError, RefusedError) as error:
            problems += _problems(line.line, error)
        reached(done)
    async with pool.acquire() as db, db.transaction():
        for done, each in enumerate(prepared, start=len(lines) + 1):
            try:
                async with db.transaction():  # a savepoint: what is taken ends this line alone
                    account = await store_account(
                        db,
                        each.new,
                        rules,
                        each.hashes,
                        refill_micros=each.refill_micros,
                        created_by=created_by,
                        at=at,
                    )
                    credentials = await create_missing_phones(db, account, phones, at=at)
            except (InvalidFieldError, RefusedError) as error:
                problems += _problems(each.line, error)
            else:
                created.append(
                    CreatedCustomer(
                        line=each.line,
                        account=account,
                        password=each.password,
                        phones=credentials,
                    )
                )
            reached(done)
        if problems:
            raise BulkRefusedError(problems)
    for customer in created:
        log_created(customer.account, created_by)
    return created


async def _prepare(
    db: Any, line: int, texts: Mapping[str, object], currency: str, generate: bool
) -> _Prepared:
    fields = {name: text for name, text in texts.items() if name != REFILL}
    password = generate_password() if generate and not fields.get("web_password") else None
    if password is not None:
        fields["web_password"] = password
    refill_micros, problem = _refill(texts.get(REFILL))
    try:
        new = await prepare_account(db, fields, currency=currency)
    except InvalidFieldsError as error:
        raise InvalidFieldsError([*error.problems, *problem]) from None
    if problem:
        raise problem[0]
    return _Prepared(
        line=line,
        new=new,
        hashes=await hashes_of(new),
        refill_micros=refill_micros,
        password=password,
    )


def _refill(text: object) -> tuple[int, list[InvalidFieldError]]:
    try:
        return parse_money(str(text)) if text else 0, []
    except MoneyError as error:
        return 0, [InvalidFieldError(REFILL, str(error))]


def _problems(line: int, error: InvalidFieldError | RefusedError) -> list[LineProblem]:
    if isinstance(error, InvalidFieldsError):
        return [problem for each in error.problems for problem in _problems(line, each)]
    field = error.field or ""
    message = error.message if isinstance(error, InvalidFieldError) else str(error)
    return [LineProblem(line=line, field=field, message=message.removeprefix(f"{field}: "))]
