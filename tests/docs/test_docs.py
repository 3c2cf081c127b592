"""What docs/ says is so: of the code, the tests, the settings and each other."""

import ast
import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from written_from_code import DOCS, written

from agi_server.calls.decision import Denial
from agi_server.calls.reasons import Reason
from agi_server.cli.program import cli
from agi_server.observe.logging import EVENTS
from agi_server.routes import variables
from agi_server.routes.dispatch import _CALL_ROUTES, _PLAIN_ROUTES
from agi_server.routes.parameters import CallParameters
from agi_server.settings import FastagiSettings, Settings
from agi_server.settings.table import section_model
from agi_server.wire.commands import Command

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
CONTRACT = (DOCS / "contract.md").read_text()


def words(text: str) -> str:
    """Without its line breaks, which another release of click may place differently."""
    return " ".join(text.split())


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def code(page: Path) -> list[str]:
    """What stands in backticks, and each line of the shell blocks, of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    spans: list[str] = re.findall(r"`([^`\n]+)`", prose(page))
    return spans + [line for block in blocks for line in block.splitlines()]


def column(text: str, heading: str) -> list[str]:
    """What is in backticks in the first column of the tables under a heading."""
    _, _, section = text.partition(f"\n{heading}\n")
    section = re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_the_docs_say_what_the_code_says(path: Path) -> None:
    assert words(written()[path]) == words(path.read_text()), "run: make docs"


def test_every_reason_and_event_is_documented() -> None:
    assert [reason.value for reason in Reason] == column(CONTRACT, "## Reasons")
    assert list(EVENTS) == column((DOCS / "operations.md").read_text(), "## Log")


def test_every_route_and_parameter_is_documented() -> None:
    routes = column(CONTRACT, "## Routes")
    assert {*_CALL_ROUTES, *_PLAIN_ROUTES} == {
        re.split(r"[,\[]", route.removeprefix("agi://HOST/"))[0] for route in routes
    }
    parameters = column(CONTRACT, "### Parameters of `authorize`, `call` and `balance`")
    assert set(CallParameters.__slots__) == set(parameters)


def test_every_variable_is_documented() -> None:
    def names(command: Command) -> set[str]:
        return set(re.findall(r"\bAUTH_[A-Z_0-9]+", command.line.decode()))

    set_by_us = (
        names(variables.decision_variables(Denial(reason=Reason.UNAVAILABLE)))
        | names(variables.balance_variables("", "", ""))
        | names(variables.lock_variables("", ""))
        | names(variables.ping_variable("ok"))
    )
    between = {"AUTH_DIAL_3", "AUTH_DIAL_4"}
    assert set_by_us - between == set(column(CONTRACT, "## Variables"))
    assert {variables.ROUTE, variables.ANSWERED_AT, variables.SLICE} <= set(
        re.findall(r"`(AUTH_\w+)`", CONTRACT)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose(page)):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-")
                              for h in headings]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_settings_and_events_that_a_page_names_exist(page: Path) -> None:
    sections = {name: section_model(field) for name, field in Settings.model_fields.items()}
    for text in code(page):
        if text.startswith("agi-server "):
            _check_command(shlex.split(text)[1:])
        name = re.match(r"([a-z]+)\.([a-z_]+)\b", text)
        if name and name[1] in sections and f"{name[1]}.{name[2]}" not in EVENTS:
            assert name[2] in sections[name[1]].model_fields, text
        if re.fullmatch(r"(call|slot|account|ledger|auth|agi|backend|server)\.[a-z_]+", text):
            assert text in EVENTS


def _check_command(line: list[str]) -> None:
    command: click.Command = cli
    for word in line:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        assert found is not None, line
        command = found
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in line if word.startswith("--")} <= known, line


def promises() -> dict[int, str]:
    """The text of each promise by its number."""
    parts = re.split(r"^\*\*(\d+)\. ", (DOCS / "promises.md").read_text(), flags=re.M)[1:]
    return dict(zip(map(int, parts[::2]), parts[1::2], strict=True))


def names_of_tests(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def test_each_of_the_eleven_promises_has_its_bound_mechanism_and_tests_that_exist() -> None:
    assert list(range(1, 12)) == list(promises())
    for number, promise in promises().items():
        assert re.search(r"^\*Bound:\* (?s:(?!\n\n).)*\d", promise, re.M), (
            number
        )  # a bound is a figure
        assert re.search(r"^\*Mechanism:\* .", promise, re.M), number
        named = re.findall(r"^- (\S+?)::(\w+)$", promise, re.M)
        assert len(named) == len(re.findall(r"^- ", promise, re.M)) > 0, number
        for file, name in named:
            assert name in names_of_tests(ROOT / file), f"{number}: {file}::{name}"


def test_no_file_of_tests_that_break_things_is_without_a_promise() -> None:
    named = set(re.findall(r"^- (tests/\S+)::", (DOCS / "promises.md").read_text(), re.M))
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "tests/faults").glob("test_*.py")}
    assert set() == files - named


def test_the_unit_drains_before_anything_is_killed(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read(ROOT / "config/agi-server.service")
    service = unit["Service"]
    assert "mixed" == service["KillMode"]
    assert FastagiSettings().drain_timeout_s < int(service["TimeoutStopSec"])
    program, *arguments = shlex.split(service["ExecStart"])
    assert "agi-server" == Path(program).name
    _check_command(arguments)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = (ROOT / "config/agi-server.service").read_text()
    # Neither the program nor the user is on this machine.
    text = text.replace("ExecStart=/opt/agi-server/bin/agi-server", "ExecStart=/bin/true")
    copy = tmp_path / "agi-server.service"
    copy.write_text(text.replace("User=agi-server", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
