"""A TCP port of the tests' PostgreSQL, whose own socket nobody but the tests may open."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg.conninfo


@contextmanager
def postgres_port(dsn: str) -> Iterator[int]:
    """Forwards from a port of loopback, in threads: Asterisk starts while the test's loop waits."""
    named: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(dsn)
    path = f"{named['host']}/.s.PGSQL.{named.get('port', 5432)}"

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as database:
                database.connect(path)
                ends = {self.request: database, database: self.request}
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()
