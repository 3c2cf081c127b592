"""A private Asterisk 22 and SIPp, taken from Debian's packages without installing anything.

Debian's stable release has no Asterisk, so the packages of its unstable suite are unpacked into a
cache folder and run with their own dynamic linker and C library: the machine's may be older. apt
is driven with folders of its own, so neither the machine's package lists nor its state are read
or changed; only its choice of mirror is.
"""

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITE = "unstable"
PACKAGES = (
    "asterisk",
    "sip-tester",
    "asterisk-core-sounds-en-gsm",
    "asterisk-core-sounds-fr-gsm",
    "asterisk-core-sounds-es-gsm",
)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
# Dragged in by dependencies, of no use to a telephone exchange.
UNWANTED = (
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/info",
    "./usr/share/locale",
    "./usr/share/perl",
    "./usr/lib/python3*",
    f"./{LIBRARIES}/perl*",
)
DOWNLOAD_TIMEOUT_SECONDS = 540


class AsteriskUnavailableError(Exception):
    """Asterisk cannot be had on this machine; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskTree:
    """An unpacked Asterisk and SIPp."""

    root: Path
    asterisk_version: str
    sipp_version: str

    @property
    def modules(self) -> Path:
        return self.root / LIBRARIES / "asterisk/modules"

    @property
    def data(self) -> Path:
        """Where sounds, keys and the documentation lie."""
        return self.root / "usr/share/asterisk"

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command line that runs a program of the tree (`usr/bin/sipp`) on any C library."""
        libraries = self.root / LIBRARIES
        linker = libraries / "ld-linux-x86-64.so.2"
        search = f"{libraries}:{self.root / 'usr/lib/asterisk'}"
        return [str(linker), "--library-path", search, str(self.root / program), *arguments]

    def at(self, root: Path) -> "AsteriskTree":
        """The same tree, copied to another folder."""
        return AsteriskTree(
            root=root,
            asterisk_version=self.asterisk_version,
            sipp_version=self.sipp_version,
        )


def cache_folder() -> Path:
    """Outside the clone, so that `git clean` and a fresh clone keep what was downloaded."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "agi-server"


def get_asterisk() -> AsteriskTree:
    """The cached tree, downloaded first when it is not there yet.

    Raises AsteriskUnavailableError where Debian's packages cannot be had or do not run.
    """
    if (machine := platform.machine()) != "x86_64":
        raise AsteriskUnavailableError(f"only x86_64 is supported, this machine is {machine}")
    root = cache_folder() / f"asterisk-{SUITE}"
    with _locked(root.with_suffix(".lock")):
        if not root.exists():
            unfinished = root.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            _download_and_unpack(unfinished)
            # The last step is the one that cannot be half done: a tree that exists is complete.
            unfinished.rename(root)
    versions = json.loads((root / "versions.json").read_text())
    return AsteriskTree(
        root=root,
        asterisk_version=versions["asterisk"],
        sipp_version=versions["sip-tester"],
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download_and_unpack(root: Path) -> None:
    for tool in ("apt-get", "dpkg-deb", "tar"):
        if shutil.which(tool) is None:
            raise AsteriskUnavailableError(
                f"this system has no {tool} to get Debian's packages with"
            )
    if not KEYRING.exists():
        raise AsteriskUnavailableError(
            f"{KEYRING} is missing: Debian's packages cannot be verified"
        )
    root.mkdir()
    apt = root / "apt"
    configuration = _configure_apt(apt)
    _read_package_lists(apt, configuration)
    # base-files carries the links /lib -> usr/lib that the other packages rely on.
    install = ("install", "--download-only", "--no-install-recommends", "base-files", *PACKAGES)
    _run("apt-get", "-c", str(configuration), "-qq", "-y", *install)
    archives = sorted((apt / "archives").glob("*.deb"))
    archives.sort(key=lambda archive: not archive.name.startswith("base-files_"))
    for archive in archives:
        _unpack(archive, root)
    # The packages leave these names to the alternatives of an installed system.
    for recorded in (root / "usr/share/asterisk/sounds").glob("??_*"):
        recorded.with_name(recorded.name[:2]).symlink_to(recorded.name)
    versions = {
        package: _run("dpkg-deb", "-f", str(archive), "Version").strip()
        for archive in archives
        if (package := archive.name.split("_")[0]) in PACKAGES
    }
    shutil.rmtree(apt)
    (root / "versions.json").write_text(json.dumps(versions, indent=1))


def _read_package_lists(apt: Path, configuration: Path) -> None:
    """From the first of this machine's mirrors that carries the suite, signed by Debian."""
    refusals = []
    for mirror in _mirrors():
        (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
        try:
            _run("apt-get", "-c", str(configuration), "-qq", "update")
        except AsteriskUnavailableError as refusal:
            refusals.append(str(refusal))
        else:
            return
    raise AsteriskUnavailableError("; ".join(refusals) or "apt knows no mirror on this machine")


def _mirrors() -> list[str]:
    """What apt reads packages from here, in whatever form it was written, first come first."""
    # Unlike `indextargets`, this works where the lists were never downloaded.
    uris = _run("apt-get", "-o", "Debug::NoLocking=1", "update", "--print-uris")
    return list(dict.fromkeys(re.findall(r"'([^' ]+)/dists/[^/ ]+/InRelease'", uris)))


def _configure_apt(apt: Path) -> Path:
    (apt / "lists/partial").mkdir(parents=True)
    (apt / "archives/partial").mkdir(parents=True)
    (apt / "status").touch()
    configuration = apt / "apt.conf"
    # The machine's own settings stay in force (it may need its proxy), except its hooks, which
    # would clean the machine's folders, and whatever would choose other packages.
    configuration.write_text(
        f"""
#clear APT::Update;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Default-Release;
Dir::Etc::SourceList "{apt}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{apt}";
Dir::State::Lists "{apt}/lists";
Dir::State::Status "{apt}/status";
Dir::Cache "{apt}";
Dir::Cache::Archives "{apt}/archives";
Dir::Log "{apt}";
Debug::NoLocking "1";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
APT::Update::Error-Mode "any";
// apt's own user could not reach a cache folder in a private home.
APT::Sandbox::User "root";
"""
    )
    return configuration


def _unpack(archive: Path, root: Path) -> None:
    excludes = [f"--exclude={pattern}" for pattern in UNWANTED]
    extract = (
        "tar",
        "-x",
        "--no-same-owner",
        "--keep-directory-symlink",
        *excludes,
        "-C",
        str(root),
    )
    packed = ("dpkg-deb", "--fsys-tarfile", str(archive))
    with subprocess.Popen(packed, stdout=subprocess.PIPE) as contents:
        unpacked = subprocess.run(extract, stdin=contents.stdout, stderr=subprocess.PIPE, text=True)
    if contents.returncode or unpacked.returncode:
        raise AsteriskUnavailableError(
            f"{archive.name} cannot be unpacked: {unpacked.stderr.strip()}"
        )


def _run(*command: str) -> str:
    try:
        finished = subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as expired:
        raise AsteriskUnavailableError(f"{command[0]} took too long: {expired}") from expired
    if finished.returncode:
        reason = " / ".join(finished.stderr.strip().splitlines()[-3:])
        raise AsteriskUnavailableError(f"{command[0]} failed: {reason}")
    return finished.stdout
