"""`agi-server demo`: see everything work, with one command."""

import asyncio
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import uvloop
from rich.console import Console
from rich.text import Text

from agi_server.app import running
from agi_server.calls.records import CallRecord
from agi_server.cli.backends import Command
from agi_server.cli.faults import REFUSED
from agi_server.cli.output import clock, money, print_json, print_list
from agi_server.cli.parameters import json_option
from agi_server.cli.signals import stopped_by_any_signal
from agi_server.demo.business import ALICE
from agi_server.demo.stage import Performance, PlayedCall, demo_settings, perform
from agi_server.demo.story import LONDON, Outcome, outcome_of
from agi_server.observe import logging
from agi_server.refused import RefusedError
from agi_server.storage.embedded import EmbeddedBackends, embedded_backends
from agi_server.storage.postgres import migrations
from agi_server.storage.postgres.pool import open_pool
from agi_server.web.auth.operators import create_operator
from agi_server.web.auth.roles import Role
from agi_server.web.auth.secrets import generate_password

_USUAL_PORT = 4573
_USUAL_WEB_PORT = 8080
_NO_TALK = {"BUSY": "busy", "CANCEL": "no answer"}


@click.command(cls=Command)
@click.option(
    "--keep",
    metavar="[DIR]",
    is_flag=False,
    flag_value="",
    help="Stay up until Ctrl-C, for a look around; what is in DIR stays afterwards.",
)
@json_option
def demo(keep: str | None, as_json: bool) -> int:
    """Play calls of every kind against a daemon with real PostgreSQL and Valkey, all of its own.

    Prints what was decided for each call and what was debited, the customers' balances, the ledger
    and its verification. Exit code 1 when anything is not as it must be; then it says what. Heeds
    no settings, touches no database of yours and leaves nothing behind.

    \b
    Example:
      agi-server demo
      agi-server demo --keep
    """
    started = time.monotonic()
    with stopped_by_any_signal(), _directory(keep) as directory, ExitStack() as stack:
        with _waiting("starting PostgreSQL and Valkey"):
            servers = stack.enter_context(embedded_backends(directory))
            _create_schema(servers.postgres_dsn, directory)
        log = stack.enter_context((directory / "agi-server.log").open("a", encoding="utf-8"))
        logging.configure("json", "info", log)
        with _waiting("playing the calls"), _runner() as runner:
            performance = runner.run(
                perform(servers.postgres_dsn, servers.redis_url, ends_at=datetime.now(UTC))
            )
        if as_json:
            print_json(_fields(performance))
        else:
            _tell(performance, time.monotonic() - started)
        if keep is not None:
            _stay(servers, directory, as_json=as_json)
    return REFUSED if performance.problems else 0


@contextmanager
def _directory(keep: str | None) -> Iterator[Path]:
    if keep:
        yield Path(keep).absolute()
        return
    with TemporaryDirectory(prefix="agi-server-demo-") as directory:
        yield Path(directory)


def _create_schema(postgres_dsn: str, directory: Path) -> None:
    if migrations.status(postgres_dsn).current is not None:
        raise RefusedError(
            f"there is data in {directory} already: name another folder, or go on with it:"
            f" agi-server serve --embedded {directory}"
        )
    migrations.upgrade(postgres_dsn)


def _runner() -> asyncio.Runner:
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


@contextmanager
def _waiting(for_what: str) -> Iterator[None]:
    """Say what is going on while people wait."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{for_what} …"):
        yield


def _stay(servers: EmbeddedBackends, directory: Path, *, as_json: bool) -> None:
    """The same business behind a daemon with the real clock, until Ctrl-C."""

    async def stay() -> None:
        web_port = _free_port(_USUAL_WEB_PORT)
        settings = demo_settings(_free_port(_USUAL_PORT), web_port)
        password = await _operator(servers.postgres_dsn)
        async with running(settings, servers.postgres_dsn, servers.redis_url) as daemon:
            click.echo(_next_steps(directory, daemon.port), err=as_json)
            click.echo(
                f"The console: http://127.0.0.1:{web_port} (name demo, password {password})",
                err=as_json,
            )
            await asyncio.Event().wait()

    with _runner() as runner, suppress(KeyboardInterrupt):
        runner.run(stay())


async def _operator(postgres_dsn: str) -> str:
    """Somebody who may sign in to the console; returns the password."""
    password = generate_password()
    async with open_pool(postgres_dsn, max_size=1) as pool:
        await create_operator(
            pool, "demo", role=Role.ADMIN, group=None, password=password, at=datetime.now(UTC)
        )
    return password


def _free_port(usual: int) -> int:
    """The usual port, where the samples or people look, or a free one where another has it."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for port in (usual, 0):
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = candidate.getsockname()[1]
            return found
    return usual


def _next_steps(directory: Path, port: int) -> str:
    program = "agi-server"
    if shutil.which(program) is None:
        program = os.path.relpath(Path(sys.executable).with_name(program))
    return f"""
The daemon stays up on 127.0.0.1:{port}, where Asterisk can call it, until Ctrl-C here. Its log:
  tail -f {directory}/agi-server.log
Look around in another terminal:
  export AGI_SERVER_EMBEDDED={directory}
  {program} customer show {ALICE.account_number}
  {program} calls list
  {program} rates quote {LONDON} --seconds 95 --credit 10
  {program} ledger show {ALICE.account_number}
  {program} ledger verify"""


def _tell(performance: Performance, took_s: float) -> None:
    click.echo(
        "A private PostgreSQL and Valkey, sample customers and rates, and the daemon. Each line is"
        " a call,\nput to the daemon over FastAGI as Asterisk does it: may it start, for how long"
        " at most, and what\nwas debited when it ended. Amounts are in USD, prices per minute.\n"
    )
    print_list([_call_row(each) for each in performance.calls], as_json=False)
    _heading("The customers afterwards")
    print_list(_customer_rows(performance), as_json=False)
    _heading("The ledger: every movement of money, once")
    print_list(_entry_rows(performance), as_json=False)
    _heading("agi-server ledger verify")
    for problem in performance.problems:
        click.secho(f"NOT AS EXPECTED  {problem}", fg="red")
    calls, entries = len(performance.calls), len(performance.entries)
    if not performance.problems:
        click.echo(f"The books balance: {entries} entries add up to every balance.")
        click.secho(f"{calls} calls, all as expected, in {took_s:.1f} s.", fg="green")


def _heading(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _call_row(played: PlayedCall) -> dict[str, object]:
    outcome = None if played.record is None else outcome_of(played.record)
    return {
        "": Text("✗", "red") if played.problems else Text("✓", "green"),
        "call": played.call.title,
        "decision": _decision(outcome),
        "talked": _talked(outcome),
        "billed": _billed(played.record),
        "debited": _debited(outcome),
    }


def _decision(outcome: Outcome | None) -> Text:
    if outcome is None:
        return Text("no record", "red")
    if outcome.allowed:
        return Text(f"allowed, at most {clock(outcome.limit_ms)}", "green")
    return Text(f"refused: {outcome.reason}", "yellow")


def _talked(outcome: Outcome | None) -> str | None:
    if outcome is None or not outcome.allowed:
        return None
    if outcome.dialstatus == "ANSWER":
        return clock(outcome.talk_ms)
    return _NO_TALK.get(outcome.dialstatus or "", outcome.dialstatus)


def _billed(record: CallRecord | None) -> str | None:
    """`96 s at 0.09`: seconds after the increments, and the price of a minute."""
    if record is None or not record.price_lines:
        return None
    price = max(line["price_micros_per_minute"] or 0 for line in record.price_lines)
    return f"{record.billed_seconds} s at {money(price)}"


def _debited(outcome: Outcome | None) -> str | None:
    if outcome is None or not outcome.allowed:
        return None
    return money(outcome.cost_micros)


def _customer_rows(performance: Performance) -> list[dict[str, object]]:
    return [
        {
            "customer": customer.name,
            "refilled": money(customer.refill_micros),
            "credit limit": money(account.credit_limit_micros),
            "balance": money(account.balance_micros),
            "held": money(account.held_micros),
            "calls in progress": account.in_use,
            "status": account.status.name.lower(),
        }
        for customer, account in performance.accounts
    ]


def _entry_rows(performance: Performance) -> list[dict[str, object]]:
    names = {account.id: customer.name for customer, account in performance.accounts}
    return [
        {
            "customer": names[entry["account_id"]],
            "kind": entry["kind"],
            "from": entry["debit"],
            "to": entry["credit"],
            "amount": money(entry["amount_micros"]),
            "balance": money(entry["balance_micros"]),
        }
        for entry in performance.entries
    ]


def _fields(performance: Performance) -> dict[str, Any]:
    return {
        "as_expected": not performance.problems,
        "problems": list(performance.problems),
        "calls": [_call_fields(each) for each in performance.calls],
        "customers": _customer_rows(performance),
        "ledger": _entry_rows(performance),
    }


def _call_fields(played: PlayedCall) -> dict[str, Any]:
    outcome = Outcome() if played.record is None else outcome_of(played.record)
    record = played.record
    return {
        "title": played.call.title,
        "customer": None if played.call.customer is None else played.call.customer.name,
        "identified_by": None if record is None else record.identified_by,
        "decision": None if record is None else ("allow" if outcome.allowed else "deny"),
        "reason": outcome.reason,
        "limit_ms": outcome.limit_ms,
        "trunk": outcome.trunk,
        "dialstatus": outcome.dialstatus,
        "talk_ms": outcome.talk_ms,
        "billed_seconds": outcome.billed_seconds,
        "cost": money(outcome.cost_micros),
        "as_expected": not played.problems,
    }
