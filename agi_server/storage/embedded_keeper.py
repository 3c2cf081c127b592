"""The process that keeps the private PostgreSQL and Valkey of one directory running.

Started by `embedded.py` with a listening socket as standard input. It starts both servers, says
`ready` to every command that connects (or why not), starts a server again that died, and stops
both when the last command has gone or SIGTERM comes. If the keeper itself is killed, the kernel
tells both servers to stop, and the next keeper waits until they have.
"""

import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from agi_server.storage.embedded_servers import Postgres, Server, ServerError, Valkey


class Keeper:
    """Servers and the commands that use them, each known by its open connection."""

    def __init__(self, servers: list[Server], listener: socket.socket) -> None:
        self.servers = servers
        self.listener = listener
        self.users: set[socket.socket] = set()
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)

    def keep(self, signals: socket.socket) -> None:
        """Return when the last command has gone or a signal says stop. Raises ServerError."""
        self.selector.register(signals, selectors.EVENT_READ)
        while True:
            events = self.selector.select()
            self.revive()  # before a newcomer is told that all is ready
            for key, _ in events:
                if key.fileobj is self.listener:
                    self.welcome()
                elif key.fileobj is signals:
                    if set(signals.recv(64)) - {signal.SIGCHLD}:
                        return
                elif isinstance(key.fileobj, socket.socket):
                    if self.users == {key.fileobj}:
                        return  # its connection stays open until all has stopped
                    self.selector.unregister(key.fileobj)
                    self.users.remove(key.fileobj)
                    key.fileobj.close()

    def welcome(self) -> None:
        with suppress(OSError):  # it gave up while it waited
            user, _ = self.listener.accept()
            self.users.add(user)
            self.selector.register(user, selectors.EVENT_READ)
            user.sendall(b"ready\n")

    def revive(self) -> None:
        for server in self.servers:
            if server.process.poll() is not None:
                print(f"{server.name} ended with {server.process.returncode}: starting it again")
                server.start()

    def refuse(self, reason: str) -> None:
        """Tell the commands in line why the servers do not run."""
        self.listener.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                user, _ = self.listener.accept()
                self.users.add(user)  # closed, like the last one always, when all has stopped
                with suppress(ConnectionError):
                    user.sendall(reason.encode())


def main(directory: Path, sockets: Path) -> None:
    """Run until nobody needs the servers in `directory`; their sockets lie in `sockets`."""
    listener = socket.socket(fileno=os.dup(0))
    os.chdir("/")
    os.umask(0o077)
    started: list[Server] = []
    keeper = Keeper(started, listener)
    try:
        server: Server
        for server in (Valkey(directory, sockets), Postgres(directory, sockets)):
            server.start()
            started.append(server)
        keeper.keep(_signals())  # until here a signal ends this process, and the kernel the servers
    except ServerError as error:
        print(error)
        keeper.refuse(str(error))
    finally:
        # First the name, then the socket: whoever still found it, or finds none, starts anew.
        (sockets / "keeper.sock").unlink(missing_ok=True)
        listener.close()
        for server in reversed(started):
            server.stop()


def _signals() -> socket.socket:
    """A socket that reads the number of each signal that came."""

    def only_wake_up(number: int, frame: FrameType | None) -> None: ...

    wake, signals = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.detach())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, only_wake_up)
    return signals


if __name__ == "__main__":
    # The command waits for this parent only, so nobody has to collect the keeper when it ends.
    if os.fork() == 0:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        main(Path(sys.argv[1]), Path(sys.argv[2]))
