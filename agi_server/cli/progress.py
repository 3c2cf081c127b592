"""A bar on the terminal, for work that takes a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows on stderr how far it is, while people wait; nothing where nobody reads along."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Here: scripts that run a command for each of many files wait for its start only.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda reached: progress.update(task, completed=reached)
