"""Many customers from one file: all of them or, when one cannot be, none."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agi_server.accounts.account import FIELDS, Account, NewAccount, new_account_of_texts
from agi_server.accounts.account_rows import has_secrets, hashes_of
from agi_server.accounts.csv_lines import (
    BulkRefusedError,
    CsvLine,
    LineProblem,
    problems_of,
    read_csv_lines,
)
from agi_server.accounts.customers import CreationRules, log_created, store_account
from agi_server.accounts.fields import Settable
from agi_server.accounts.groups import find_group, group_named
from agi_server.accounts.passwords import generate_password
from agi_server.accounts.phones import Credentials, create_missing_phones
from agi_server.refused import (
    InvalidFieldError,
    InvalidFieldsError,
    NotFoundError,
    RefusedError,
)
from agi_server.settings import PhonesSettings
from rating.money import MoneyError, parse_money

REFILL = "refill"
"""The column of the first credit, beside those of the fields."""

# A hash takes a core or more, and 64 MiB.
_HASHED_AT_ONCE = min(4, os.cpu_count() or 1)


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
    refill_micros: int
    password: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFile:
    """The customers of a file, and the lines that are none."""

    lines: Sequence[CsvLine]
    problems: Sequence[LineProblem]


def read_customer_file(text: str) -> CustomerFile:
    """The lines of a CSV file whose header has names of fields, and `refill`.

    Raises BulkRefusedError for what is no such file.
    """
    columns = {field.name for field in FIELDS if field.settable is not Settable.NEVER} | {REFILL}
    lines, problems = read_csv_lines(
        text, columns, unknown="is no field of an account", of="customer"
    )
    return CustomerFile(lines=lines, problems=problems)


async def create_accounts(
    pool: Any,
    file: CustomerFile,
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

    `reached` is told what is done, up to three times their number: they are checked, their secrets
    hashed, and all is stored. `tell` gets all of them before they are committed, for their secrets
    to be kept: where it raises nobody is created. Raises BulkRefusedError with everything that is
    wrong with any of them: then nobody was created.
    """
    lines = file.lines
    storing = _Storing(rules=rules, phones=phones, created_by=created_by, at=at)
    merged = [
        {**texts, **{name: text for name, text in line.texts.items() if text.strip()}}
        for line in lines
    ]
    groups = await _defaults_of_groups(pool, merged)
    problems = list(file.problems)
    prepared: list[_Prepared] = []
    for line, given in zip(lines, merged, strict=True):
        try:
            prepared.append(_prepare(line.line, given, groups, currency, generate_passwords))
        except (InvalidFieldError, RefusedError) as error:
            problems += problems_of(line.line, error)
    # Hashing takes longest by far: not before it is known that all can be stored, and not while
    # that locks what others wait for.
    if problems or any(has_secrets(each.new) for each in prepared):
        await storing.try_out(pool, prepared, problems, reached)
    if problems:
        raise BulkRefusedError(problems)
    hashes = await _hash(prepared, lambda done: reached(len(lines) + done))
    async with pool.acquire() as db, db.transaction():
        created = await storing.store(
            db, prepared, hashes, problems, lambda done: reached(2 * len(lines) + done)
        )
        if problems:  # taken meanwhile
            raise BulkRefusedError(problems)
        tell(created)
    for customer in created:
        log_created(customer.account, created_by)
    return created


@dataclass(frozen=True, slots=True, kw_only=True)
class _Storing:
    """What is the same for all of them."""

    rules: CreationRules
    phones: PhonesSettings | None
    created_by: str
    at: datetime

    async def try_out(
        self,
        pool: Any,
        prepared: Sequence[_Prepared],
        problems: list[LineProblem],
        reached: Callable[[int], None],
    ) -> None:
        """Add what is wrong to `problems`; nothing is stored. No phones: they are logged."""
        async with pool.acquire() as db:
            trial = db.transaction()
            await trial.start()
            try:
                trying = replace(self, phones=None)
                await trying.store(db, prepared, [{}] * len(prepared), problems, reached)
            finally:
                await trial.rollback()

    async def store(
        self,
        db: Any,
        prepared: Sequence[_Prepared],
        hashes: Sequence[dict[str, str]],
        problems: list[LineProblem],
        reached: Callable[[int], None],
    ) -> list[CreatedCustomer]:
        """Store them, with their phones, in a transaction of the caller's; what is wrong is added
        to `problems`."""
        created = []
        for done, (each, hashed) in enumerate(zip(prepared, hashes, strict=True), start=1):
            try:
                async with db.transaction():  # a savepoint: what is taken ends this line alone
                    account = await store_account(
                        db,
                        each.new,
                        self.rules,
                        hashed,
                        refill_micros=each.refill_micros,
                        created_by=self.created_by,
                        at=self.at,
                    )
                    credentials: list[Credentials] = []
                    if self.phones is not None:
                        credentials = await create_missing_phones(
                            db, account, self.phones, at=self.at
                        )
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
        return created


async def _defaults_of_groups(
    db: Any, merged: Sequence[Mapping[str, object]]
) -> dict[str, Mapping[str, object]]:
    """The defaults of the groups that are named and exist, each asked for once."""
    found: dict[str, Mapping[str, object]] = {}
    for name in {group_named(texts) for texts in merged} - {None}:
        assert name is not None
        try:
            found[name] = (await find_group(db, name)).defaults
        except NotFoundError:
            continue  # each of its lines is told
    return found


async def _hash(
    prepared: Sequence[_Prepared], reached: Callable[[int], None]
) -> list[dict[str, str]]:
    """The hashes of the secrets of each, a few at once."""
    hashes: list[dict[str, str]] = [{} for _ in prepared]
    left = iter(range(len(prepared)))
    done = 0

    async def work() -> None:
        nonlocal done
        for at in left:
            hashes[at] = await hashes_of(prepared[at].new)
            done += 1
            reached(done)

    async with asyncio.TaskGroup() as workers:
        for _ in range(_HASHED_AT_ONCE):
            workers.create_task(work())
    return hashes


def _prepare(
    line: int,
    texts: Mapping[str, object],
    groups: Mapping[str, Mapping[str, object]],
    currency: str,
    generate: bool,
) -> _Prepared:
    fields = {name: text for name, text in texts.items() if name != REFILL}
    password = generate_password() if generate and not fields.get("web_password") else None
    if password is not None:
        fields["web_password"] = password
    refill_micros, problem = _refill(texts.get(REFILL))
    group = group_named(fields)
    if group is not None and group not in groups:
        problem.append(InvalidFieldError("group", f"there is no group {group}"))
    defaults = {} if group is None else groups.get(group, {})
    try:
        new = new_account_of_texts(fields, {"currency": currency, **defaults})
    except InvalidFieldsError as error:
        raise InvalidFieldsError([*error.problems, *problem]) from None
    if problem:
        raise InvalidFieldsError(problem)
    return _Prepared(line=line, new=new, refill_micros=refill_micros, password=password)


def _refill(text: object) -> tuple[int, list[InvalidFieldError]]:
    try:
        return parse_money(str(text)) if text else 0, []
    except MoneyError as error:
        return 0, [InvalidFieldError(REFILL, str(error))]
