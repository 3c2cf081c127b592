"""A CSV file that an operator gives: read, and refused by line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from agi_server.accounts.csv_lines import BulkRefusedError
from agi_server.cli.faults import REFUSED
from agi_server.observe.masking import mask_text


def text_of_csv(file: Path, hint: str) -> str:
    """Its text; `hint` is the argument that names it. Raises BadParameter when it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.BadParameter("the file must be UTF-8", param_hint=hint) from None


@contextmanager
def refused_lines(file: Path, nothing: str) -> Iterator[None]:
    """Where the file is refused, say why with its lines, and in words that `nothing` was done."""
    try:
        yield
    except BulkRefusedError as refused:
        for each in refused.problems:
            where = f"{each.field}: " if each.field else ""
            click.echo(mask_text(f"{file}:{each.line}: {where}{each.message}"), err=True)
        click.echo(f"agi-server: {nothing}", err=True)
        click.get_current_context().exit(REFUSED)
