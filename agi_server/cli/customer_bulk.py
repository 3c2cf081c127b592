"""`agi-server customer create --from FILE.csv`: many customers at once."""

import csv
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from agi_server.accounts.bulk import (
    CreatedCustomer,
    create_accounts,
    read_customer_lines,
)
from agi_server.accounts.customers import CreationRules
from agi_server.cli.backends import Session
from agi_server.cli.csv_file import refused_lines, text_of_csv
from agi_server.cli.output import money, print_json
from agi_server.cli.parameters import operator
from agi_server.cli.phone import shown_once
from agi_server.cli.progress import progress_bar

_COLUMNS = (
    "line",
    "id",
    "account_number",
    "web_login",
    "web_password",
    "series",
    "serial",
    "balance",
    "currency",
    "sip_user",
    "sip_secret",
    "sip_device_token",
    "iax_user",
    "iax_secret",
)


async def create_from_file(
    session: Session,
    source: Path,
    result: Path | None,
    texts: Mapping[str, object],
    *,
    generate_passwords: bool,
    as_json: bool,
) -> None:
    """Create all customers of the file or none; then the numbers are written, only now in full.

    Exits with 1 and a line for each problem when there is any.
    """
    accounts = session.settings.accounts
    rules = CreationRules(
        number_length=accounts.number_length,
        number_luhn=accounts.number_luhn,
        max_callerids=accounts.max_callerids,
    )
    _check_is_new(result)
    with refused_lines(source, "nobody was created"):
        lines = read_customer_lines(text_of_csv(source, "--from"))
        with progress_bar("customers", 2 * len(lines)) as reached:
            created = await create_accounts(
                session.db,
                lines,
                rules,
                phones=session.settings.phones,
                texts=texts,
                currency=accounts.currency,
                generate_passwords=generate_passwords,
                created_by=operator(),
                at=session.now,
                reached=reached,
            )
    rows = [_row(each) for each in created]
    _write(rows, result, as_json)
    click.echo(f"{len(created)} customers created", err=True)


def _check_is_new(result: Path | None) -> None:
    if result is not None and result.exists():
        raise click.BadParameter(f"{result} exists already", param_hint="--result")


def _write(rows: Sequence[Mapping[str, Any]], result: Path | None, as_json: bool) -> None:
    if result is not None:
        # It has secrets: for nobody else to read.
        handle = os.open(result, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8", newline="") as file:
            _write_csv(rows, file)
    elif as_json:
        print_json(rows)
    else:
        _write_csv(rows, sys.stdout)


def _write_csv(rows: Sequence[Mapping[str, Any]], file: TextIO) -> None:
    writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _row(created: CreatedCustomer) -> dict[str, Any]:
    account = created.account
    return {
        "line": created.line,
        "id": account.id,
        "account_number": account.account_number,
        "web_login": account.web_login,
        "web_password": created.password,
        "series": account.series,
        "serial": account.serial,
        "balance": money(account.balance_micros),
        "currency": account.currency,
        **dict.fromkeys(_COLUMNS[-5:]),
        **shown_once(created.phones),
    }
