"""docs/account-fields.md names every field of the account, in order, with a test that exists."""

import ast
import re

import click
from written_from_code import DOCS

from agi_server.accounts.account import FIELDS
from agi_server.accounts.fields import Section, Settable
from agi_server.cli.account_fields import option_name
from agi_server.cli.program import cli

PAGE = (DOCS / "account-fields.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\| (\S+) \|$", PAGE, re.MULTILINE)


def options(*path: str) -> set[str]:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return {name for parameter in command.params for name in parameter.opts}


def test_the_page_has_every_field_in_the_order_of_the_model() -> None:
    assert [field.name for field in FIELDS] == [name for name, *_ in ROWS]
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert [section.value for section in Section] == headings


def test_every_field_that_can_be_set_is_an_option_and_no_other_is() -> None:
    create, update = options("customer", "create"), options("customer", "update")
    for field in FIELDS:
        name = option_name(field)
        assert (field.settable is not Settable.NEVER) == (name in create), name
        assert (field.settable is Settable.ALWAYS) == (name in update), name


def test_every_test_that_the_page_names_exists() -> None:
    for name, _, effect, test in ROWS:
        assert effect.strip(), name
        file, _, function = test.partition("::")
        tree = ast.parse((DOCS.parent / file).read_text())
        assert function in {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }, test
