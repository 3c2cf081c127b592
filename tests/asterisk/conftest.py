"""One Asterisk for all tests of this folder, loud when it cannot be had."""

import os
import socketserver
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from asterisk_server import AsteriskServer, free_tcp_port, running_asterisk
from asterisk_tree import AsteriskTree, AsteriskUnavailableError, get_asterisk

from support.business import Business
from support.fixtures import StartProcess

pytest.register_assert_rewrite("exchange")
from exchange import Exchange  # noqa: E402 - after the line above, so that its asserts say more

_HERE = Path(__file__).parent
_summary: list[str] = []
# The first test waits for the download, which may take minutes on a slow line.
_TIMEOUT_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.asterisk)
            item.add_marker(pytest.mark.timeout(_TIMEOUT_SECONDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _summary:
        terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(scope="session")
def asterisk_tree() -> AsteriskTree:
    try:
        tree = get_asterisk()
    except AsteriskUnavailableError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Asterisk to test against: {reason}")
        _summary.append(f"NOTHING WAS TESTED AGAINST A REAL ASTERISK: {reason}")
        pytest.skip(f"no Asterisk: {reason}")
    _summary.append(f"ran on Asterisk {tree.asterisk_version} and SIPp {tree.sipp_version}")
    return tree


@pytest.fixture(scope="session")
def _asterisk(asterisk_tree: AsteriskTree) -> Iterator[AsteriskServer]:
    with running_asterisk(asterisk_tree) as server:
        yield server


@pytest.fixture(scope="session")
def undertaker() -> Iterator[int]:
    """The port of a listener that hangs up at once, which ends handlers that wait for a daemon."""
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def asterisk(
    _asterisk: AsteriskServer, undertaker: int, request: pytest.FixtureRequest
) -> Iterator[AsteriskServer]:
    """The Asterisk of this run, idle and pointed to no daemon; its log is shown if the test fails.

    Whatever calls a test left behind are ended, so that they do not disturb the next.
    """
    already_logged = len(_asterisk.log)
    _asterisk.point_to(1)
    yield _asterisk
    try:
        _asterisk.point_to(undertaker)
        _asterisk.cli("channel request hangup all")
        _asterisk.wait_until_idle()
    finally:
        request.node.add_report_section("teardown", "Asterisk log", _asterisk.log[already_logged:])


@pytest.fixture(scope="session")
def _differences_ms() -> Iterator[list[int]]:
    """How far talk times were from what callees saw, for the summary of the run."""
    differences: list[int] = []
    yield differences
    if differences:
        _summary.append(
            f"talk_ms was {min(differences):+} to {max(differences):+} ms from what the callee saw,"
            f" in {len(differences)} calls"
        )


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Say something at the end of the run."""
    return _summary.append


@pytest.fixture
async def exchange(
    asterisk: AsteriskServer,
    business: Business,
    start_process: StartProcess,
    _differences_ms: list[int],
) -> AsyncIterator[Exchange]:
    """Asterisk with a daemon, which must end well, without a fault and without telling secrets."""
    exchange = Exchange(
        asterisk=asterisk,
        business=business,
        start_process=start_process,
        fastagi_port=free_tcp_port(),
        differences_ms=_differences_ms,
    )
    await exchange.open()
    yield exchange
    asterisk.cli("channel request hangup all")
    asterisk.wait_until_idle()
    assert 0 == await exchange.daemon.terminate()
    exchange.assert_log_is_clean()
