"""`agi-server record`: write real sessions as scripts."""

import asyncio
import signal
from pathlib import Path

import click

from agi_server.cli.backends import Command, with_settings
from agi_server.cli.parameters import ADDRESS
from agi_server.replay import Recording
from agi_server.replay import record as run_proxy
from agi_server.settings import Settings


@click.command(cls=Command)
@click.option("--listen", type=ADDRESS, required=True, metavar="HOST:PORT", help="For Asterisk.")
@click.option("--to", type=ADDRESS, metavar="HOST:PORT", help="Otherwise the daemon set here.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sessions"),
    show_default=True,
    help="Folder for the scripts.",
)
@with_settings
def record(
    settings: Settings, listen: tuple[str, int], to: tuple[str, int] | None, into: Path
) -> None:
    """Stand between Asterisk and the daemon and write each session as a script, secrets masked.

    Ends with Ctrl-C or SIGTERM.

    \b
    Example:
      agi-server record --listen 127.0.0.1:4574 --to 127.0.0.1:4573 --into sessions
    """
    target = to or (settings.fastagi.host, settings.fastagi.port)
    asyncio.run(_until_stopped(listen, target, into))


async def _until_stopped(listen: tuple[str, int], to: tuple[str, int], into: Path) -> None:
    proxy = asyncio.create_task(
        run_proxy(
            listen,
            to,
            into,
            on_listening=lambda port: click.echo(f"listening on {listen[0]}:{port}"),
            on_recording=_tell,
        )
    )
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, proxy.cancel)
    await asyncio.wait([proxy])
    if not proxy.cancelled():
        proxy.result()


def _tell(recording: Recording) -> None:
    names = ", ".join(recording.names) or "no names"
    cut = ", cut: too long" if recording.truncated else ""
    click.echo(f"{recording.path}: {names}{cut}")
