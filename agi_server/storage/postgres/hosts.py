"""A DSN may name several servers, of which one is the primary."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    import psycopg

_WANTED = "target_session_attrs"
# For each host in turn, where nobody waits for the answer.
_PLAIN_CONNECT_S = 10


def each_host(dsn: str) -> list[str]:
    """One DSN for each host of a DSN, in its order, each to be used only while it is the primary.

    A DSN of one host stays as it is. Hosts stand between commas, behind the user or in `host=`.
    """
    parts = urlsplit(dsn)
    user, at, hosts = parts.netloc.rpartition("@")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    names, ports = query.get("host", "").split(","), query.get("port", "").split(",")
    count = max(len(hosts.split(",")), len(names))
    if count == 1:
        return [dsn]
    found = []
    for index in range(count):
        chosen = {_WANTED: "primary", **query}
        if "," in query.get("host", ""):
            chosen["host"] = names[index]
        if len(ports) == count:
            chosen["port"] = ports[index]
        host = hosts.split(",")[index] if "," in hosts else hosts
        words = urlencode(chosen, safe="/:,")
        found.append(f"{parts.scheme}://{user}{at}{host}{parts.path}?{words}")
    return found


def connect_plainly(dsn: str) -> "psycopg.Connection[Any]":
    """A connection of the other driver, which blocks, to the primary. Raises psycopg.Error."""
    import psycopg  # a fifth of the time in which a command starts, and most need it not

    return psycopg.connect(dsn, connect_timeout=_PLAIN_CONNECT_S, target_session_attrs="primary")
