"""What the sweeps of this folder have swept, told at the end of the run."""

from collections.abc import Callable

import pytest

_swept: dict[str, str] = {}


@pytest.fixture
def swept(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say at the end of the run what this test has swept."""

    def tell(what: str) -> None:
        _swept[request.node.name.removeprefix("test_")] = what

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, what in _swept.items():
        terminalreporter.write_line(f"{name}: {what}")
