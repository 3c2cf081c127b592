"""SQL lives in files, one statement each, under `sql/ROOM/NAME.sql`."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`, e.g. `statement("calls/take_hold")`.

    Raises FileNotFoundError for a name that does not exist.
    """
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
