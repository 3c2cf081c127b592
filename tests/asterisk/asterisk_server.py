"""A real Asterisk on loopback that runs the samples as they are, started for the tests."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from asterisk_tree import AsteriskTree

SAMPLES = Path(__file__).parents[2] / "asterisk-samples"
START_TIMEOUT_SECONDS = 60
CLI_TIMEOUT_SECONDS = 20
LOG_TIMEOUT_SECONDS = 30
IDLE_TIMEOUT_SECONDS = 15
# Between two looks at the log, which nobody tells us about.
LOOK_AGAIN_SECONDS = 0.05
NOBODY = 65534

# The accounts of the customers' phones; a test gives its customers these account numbers.
PHONES = {str(1000 + n): str(1_000_000_000 + n) for n in range(1, 11)}
# Not in the samples, but loaded wherever autoload=yes: what they do must not harm either.
EXTRA_MODULES = (
    "res_pjsip_refer",
    "res_pjsip_diversion",
    "res_pjsip_endpoint_identifier_anonymous",  # any caller but the phones comes from a carrier
)
ACCESS_NUMBER = "18005550100"


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])


def free_tcp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskServer:
    """A running Asterisk.

    Phones (SIP users `1001` …, see PHONES) call `sip_port` in decision mode, phones with a `c` in
    front (`c1001`) in call mode. Callers of any other name come from a carrier and reach nothing
    but ACCESS_NUMBER, which asks for account number and destination. The trunks `gw` and `gw2`
    send calls to the ports of `trunk_ports`, where a test starts a callee, or nobody.
    """

    tree: AsteriskTree
    folder: Path
    sip_port: int
    ami_port: int
    trunk_ports: dict[str, int]

    def cli(self, command: str) -> str:
        """What the console prints for a command, such as `core show channels count`."""
        finished = subprocess.run(
            self.cli_command(command),
            capture_output=True,
            text=True,
            timeout=CLI_TIMEOUT_SECONDS,
        )
        if finished.returncode:
            raise RuntimeError(f"{command}: {finished.stdout}{finished.stderr}")
        return finished.stdout

    def cli_command(self, command: str) -> list[str]:
        """The words of a shell that have the console run a command."""
        configuration = str(self.folder / "etc/asterisk.conf")
        rx = self.tree.command("usr/sbin/asterisk", "-C", configuration, "-rx", command)
        return [*_as_plain_user(), *rx]

    def point_to(self, fastagi_port: int) -> None:
        """Send AGI requests to the daemon that listens on this port."""
        self.cli(f"dialplan set global AGI_SERVER 127.0.0.1:{fastagi_port}")

    def wait_until_idle(self) -> None:
        """Wait for the end of all channels, hangup handlers included.

        Raises TimeoutError with the channels that stay.
        """
        deadline = time.monotonic() + IDLE_TIMEOUT_SECONDS
        while not self.cli("core show channels count").startswith("0 active channels"):
            if time.monotonic() > deadline:
                raise TimeoutError(self.cli("core show channels verbose"))
            time.sleep(0.05)

    async def logs(self, text: str, *, since: int = 0) -> int:
        """Wait until the log has this text after a place in it; returns the place after the text.

        Raises TimeoutError with what was logged instead.
        """
        deadline = time.monotonic() + LOG_TIMEOUT_SECONDS
        while (found := (log := self.log).find(text, since)) < 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not logged: {text}\n{log[since:]}")
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return found + len(text)

    @property
    def log(self) -> str:
        """Notices, warnings, errors and verbose lines since the start."""
        lines = (self.folder / "log/full.log").read_text(errors="replace").splitlines(True)
        return "".join(line for line in lines if "Remote UNIX connection" not in line)


@contextmanager
def running_asterisk(
    tree: AsteriskTree, configure: Callable[[AsteriskServer], None] | None = None
) -> Iterator[AsteriskServer]:
    """Start Asterisk with a folder and ports of its own; stop it and remove the folder at the end.

    `configure` writes into the folder `etc` what makes it the exchange it is, otherwise the one
    described above. What belongs to a machine is there already: directories, ports, logs.
    Raises RuntimeError with Asterisk's own words when it does not start.
    """
    with mortal_asterisk(tree, configure) as mortal:
        yield mortal.server


class MortalAsterisk:
    """An Asterisk that a test may kill and start again where it was."""

    def __init__(self, server: AsteriskServer) -> None:
        self.server = server
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it takes calls. Raises RuntimeError with its own words when it does not."""
        server = self.server
        console = server.folder / "console.log"
        configuration = str(server.folder / "etc/asterisk.conf")
        with console.open("w") as output:
            self._process = subprocess.Popen(
                [
                    *_as_plain_user(),
                    # Not even a killed test run leaves an Asterisk behind.
                    *("setpriv", "--pdeathsig", "KILL"),
                    *server.tree.command("usr/sbin/asterisk", "-f", "-C", configuration),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=server.folder,
            )
        _wait_until_booted(server, self._process)

    def kill(self) -> None:
        """SIGKILL: its calls are gone, and no handler tells of their end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """In good order, or by force after a while."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)
            self.kill()


@contextmanager
def mortal_asterisk(
    tree: AsteriskTree, configure: Callable[[AsteriskServer], None] | None = None
) -> Iterator[MortalAsterisk]:
    """As `running_asterisk`, for a test that kills it."""
    folder = Path(mkdtemp(prefix="agi-server-asterisk-"))
    try:
        server = AsteriskServer(
            tree=_readable(tree, folder),
            folder=folder,
            sip_port=free_udp_port(),
            ami_port=free_tcp_port(),
            trunk_ports={"gw": free_udp_port(), "gw2": free_udp_port()},
        )
        _prepare_folder(server)
        (configure or configure_with_samples)(server)
        if _needs_other_user():
            _give_to_nobody(folder)
        mortal = MortalAsterisk(server)
        try:
            mortal.start()
            yield mortal
        finally:
            mortal.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_booted(server: AsteriskServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.cli("core waitfullybooted")
        except RuntimeError:
            time.sleep(0.05)  # its control socket is not there yet
        else:
            return
    raise RuntimeError("Asterisk did not start: " + (server.folder / "console.log").read_text())


def _as_plain_user() -> list[str]:
    """What to put before a command so that it does not run as root.

    In a user namespace root becomes a plain user who still owns root's files, so that private
    parent folders are no obstacle. Where the kernel grants none, it is another user.
    """
    if os.geteuid() != 0:
        return []
    if not _needs_other_user():
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def _needs_other_user() -> bool:
    if os.geteuid() != 0:
        return False
    attempt = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "true")
    return subprocess.run(attempt, capture_output=True).returncode != 0


def _readable(tree: AsteriskTree, folder: Path) -> AsteriskTree:
    """The tree itself, or a copy where another user can read it."""
    if not _needs_other_user():
        return tree
    shutil.copytree(tree.root, folder / "tree", symlinks=True)
    return tree.at(folder / "tree")


def _give_to_nobody(folder: Path) -> None:
    os.chown(folder, NOBODY, NOBODY)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, NOBODY, NOBODY, follow_symlinks=False)


def _prepare_folder(server: AsteriskServer) -> None:
    for name in ("etc", "lib", "spool", "run", "log", "cache"):
        (server.folder / name).mkdir()
    files = {
        "asterisk.conf": _asterisk_conf(server),
        "rtp.conf": "[general]\nrtpstart=20000\nrtpend=30000\n",
        "logger.conf": """
[general]
dateformat=%F %T.%3q
[logfiles]
full.log => notice,warning,error,verbose(3)
""",
    }
    for name, text in files.items():
        (server.folder / "etc" / name).write_text(text)


def configure_with_samples(server: AsteriskServer) -> None:
    """The samples as they are, in the folder their comments name, with phones and trunks."""
    etc = server.folder / "etc"
    shutil.copytree(SAMPLES, etc / "agi-server")
    files = {
        "extensions.conf": f"""
#include "agi-server/extensions.conf"
[from-carrier]
exten => {ACCESS_NUMBER},1,Goto(agi-server-call,s,1)
""",
        "pjsip.conf": _pjsip_conf(server),
        "manager.conf": f"""
#include "agi-server/manager.conf"
[general](+)
port={server.ami_port}
[agi-server](+)
secret=loopback
""",
        "modules.conf": '#include "agi-server/modules.conf"\n[modules](+)\n'
        + "".join(f"load={module}.so\n" for module in EXTRA_MODULES),
    }
    # Modules complain about, or refuse to load without, a file of their own.
    for name in (
        *("features", "indications", "codecs", "ccss", "acl", "udptl", "stasis", "sorcery"),
        *("pjproject", "cdr", "cel", "dnsmgr", "http"),
    ):
        files[f"{name}.conf"] = "; nothing\n"
    for name, text in files.items():
        (etc / name).write_text(text)


def _asterisk_conf(server: AsteriskServer) -> str:
    folder = server.folder
    return f"""
[directories]
astetcdir => {folder}/etc
astmoddir => {server.tree.modules}
astvarlibdir => {folder}/lib
astdbdir => {folder}/lib
astkeydir => {folder}/lib
astdatadir => {server.tree.data}
astagidir => {server.tree.data}/agi-bin
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
astcachedir => {folder}/cache
[options]
systemname = test
"""


def transport(server: AsteriskServer) -> str:
    """Where the exchange listens for SIP, as pjsip.conf says it."""
    return f"""
[transport-udp]
type=transport
protocol=udp
bind=127.0.0.1:{server.sip_port}
"""


def _pjsip_conf(server: AsteriskServer) -> str:
    phones = "".join(
        f"[{user}](agi-server-customer)\naccountcode={account}\n"
        f"[c{user}](agi-server-customer)\naccountcode={account}\ncontext=agi-server-call\n"
        for user, account in PHONES.items()
    )
    trunks = "".join(
        f"[{name}](agi-server-trunk)\naors={name}\ncontext=from-carrier\n"
        f"[{name}]\ntype=aor\ncontact=sip:127.0.0.1:{port}\n"
        for name, port in server.trunk_ports.items()
    )
    return f"""{transport(server)}
#include "agi-server/pjsip.conf"
{phones}
[anonymous](agi-server-trunk)
context=from-carrier
{trunks}
"""
