"""Many customers from one file: all of them or, when one cannot be, none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agi_server.accounts.account import FIELDS, Account, NewAccount
from agi_server.accounts.account_rows import hashes_of
from agi_server.accounts.csv_lines import (
    BulkRefusedError,
    CsvLine,
    LineProblem,
    problems_of,
    read_csv_lines,
)
from agi_server.accounts.customers import CreationRules, log_created, store_account
from agi_server.accounts.fields import Settable
from agi_server.accounts.groups import prepare_account
from agi_server.accounts.passwords import generate_password
from agi_server.accounts.phones import Credentials, create_missing_phones
from agi_server.refused import InvalidFieldError, InvalidFieldsError, RefusedError
from agi_server.settings import PhonesSettings
from rating.money import MoneyError, parse_money

REFILL = "refill"
"""The column of the first credit, beside those of the fields."""


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


def read_customer_lines(text: str) -> list[CsvLine]:
    """The lines of a CSV file whose header has names of fields, and `refill`.

    Raises BulkRefusedError for what is no such file.
    """
    columns = {field.name for field in FIELDS if field.settable is not Settable.NEVER} | {REFILL}
    lines, problems = read_csv_lines(
        text, columns, unknown="is no field of an account", of="customer"
    )
    if problems:
        raise BulkRefusedError(problems)
    return lines


async def create_accounts(
    pool: Any,
    lines: Sequence[CsvLine],
    rules: CreationRules,
    *,
    phones: PhonesSettings,
    texts: Mapping[str, object],
    currency: str,
    generate_passwords: bool,
    created_by: str,
    at: datetime,
    reached: Callable[[int], None] = lambda done: None,
    tell: Callable[[Sequence[CreatedCustomer]], None] = lambda created: None,
) -> list[CreatedCustomer]:
    """Create the customers, with their phones, in one transaction.

    `texts` are for fields that a line leaves empty: an empty cell says nothing of its field.

    `reached` is told what is done, up to twice their number. `tell` gets all of them before they
    are committed, for their secrets to be kept: where it raises nobody is created. Raises
    BulkRefusedError with everything that is wrong with any of them: then nobody was created.
    """
    problems: list[LineProblem] = []
    prepared: list[_Prepared] = []
    created: list[CreatedCustomer] = []
    # First all that takes long, such as hashing, and then all that locks.
    for done, line in enumerate(lines, start=1):
        merged = {**texts, **{name: text for name, text in line.texts.items() if text.strip()}}
        try:
            prepared.append(await _prepare(pool, line.line, merged, currency, generate_passwords))
        except (InvalidFieldError, RefusedError) as error:
            problems += problems_of(line.line, error)
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
                problems += problems_of(each.line, error)
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
        tell(created)
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
