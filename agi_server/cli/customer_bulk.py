"""`agi-server customer create --from FILE.csv`: many customers at once."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from agi_server.accounts.bulk import (
    CreatedCustomer,
    create_accounts,
    read_customer_file,
)
from agi_server.accounts.customers import CreationRules
from agi_server.cli.backends import Session
from agi_server.cli.csv_file import refused_lines, text_of_csv
from agi_server.cli.output import json_text, money
from agi_server.cli.parameters import operator
from agi_server.cli.phone import shown_once
from agi_server.cli.progress import progress_bar
from agi_server.cli.result_file import open_result

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
_NOBODY = "nobody was created"


async def create_from_file(
    session: Session,
    source: Path,
    result: Path | None,
    texts: Mapping[str, object],
    *,
    generate_passwords: bool,
    as_json: bool,
) -> None:
    """Create all customers of the file or none. Their numbers and secrets, which are in full only
    now, are written before anything is true of them: what cannot be told is not created.

    Exits with 1 and a line for each problem when there is any.
    """
    accounts = session.settings.accounts
    rules = CreationRules(
        number_length=accounts.number_length,
        number_luhn=accounts.number_luhn,
        max_callerids=accounts.max_callerids,
    )
    with open_result(result, _NOBODY) as write, refused_lines(source, _NOBODY):
        file = read_customer_file(text_of_csv(source, "--from"))
        with progress_bar("customers", 3 * len(file.lines)) as reached:
            created = await create_accounts(
                session.db,
                file,
                rules,
                phones=session.settings.phones,
                texts=texts,
                currency=accounts.currency,
                generate_passwords=generate_passwords,
                created_by=operator(),
                at=session.now,
                reached=reached,
                tell=lambda created: write(_shown(created, as_json and result is None)),
            )
    click.echo(f"{len(created)} customers created", err=True)


def _shown(created: Sequence[CreatedCustomer], as_json: bool) -> str:
    rows = [_row(each) for each in created]
    if as_json:
        return json_text(rows)
    text = io.StringIO()
    # No cell can be a formula: all are drawn, numbers, or of letters and digits to begin with.
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


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
