"""Loads the program once, then becomes, in a fork each, a daemon or a command that may kill itself.

One JSON object a line on stdin asks. The child tells on the unix socket `tell` who it is, and a
daemon when it listens; the end of that connection is its death.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from kill_points import KillSwitch, counting_loop

from agi_server.app import running
from agi_server.cli.program import cli, run
from agi_server.observe import logging
from agi_server.settings import Settings

_PR_SET_PDEATHSIG = 1


def main() -> None:
    import click

    cli.get_command(click.Context(cli), "customer")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need no burial
    for line in sys.stdin:
        if os.fork() == 0:
            try:
                _become(json.loads(line))
            finally:
                os._exit(70)


def _become(request: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    tell = socket.socket(socket.AF_UNIX)
    tell.connect(request["tell"])
    tell.sendall(b"%d %d\n" % (request["number"], os.getpid()))
    switch = KillSwitch(Path(request["switch"]))
    loop = counting_loop(switch, tuple(request["roots"]))
    if "arguments" in request:
        os.environ.update(request["env"])
        asyncio.events.new_event_loop = lambda: loop  # what the command runs in
        exit_code = run(request["arguments"])
        tell.sendall(b"%d\n" % exit_code)
        os._exit(exit_code)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_serve(request, switch, tell))


async def _serve(request: dict[str, Any], switch: KillSwitch, tell: socket.socket) -> None:
    logging.configure("json", "info")
    settings = Settings.model_validate(request["settings"])
    async with running(
        settings, request["postgres_dsn"], request["redis_url"], now=switch.now
    ) as server:
        tell.sendall(b"%d\n" % server.port)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
