import ast
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import agi_server
from agi_server.observe.logging import EVENTS, Format, Level, configure, mask_account_number


@pytest.fixture(autouse=True)
def _libraries_log_as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def logged(format: Format = "json", level: Level = "info", **keys: Any) -> str:
    """The line that one denied call leaves."""
    out = io.StringIO()
    configure(format, level, out)
    structlog.get_logger().info("call.denied", **keys)
    return out.getvalue()


def test_an_event_is_one_json_object_a_line_with_time_and_level() -> None:
    line = logged(account_id=7, reason="no_credit", limit_ms=0)
    assert line.endswith("}\n")
    event = json.loads(line)
    assert ["timestamp", "level", "event"] == list(event)[:3]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["timestamp"])
    assert {"level": "info", "event": "call.denied", "account_id": 7, "reason": "no_credit"} == {
        key: event[key] for key in ("level", "event", "account_id", "reason")
    }


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("1000000001", "100*****01"),
        ("123456", "1*****"),
        ("12345678", "12*****8"),
        ("123456789012345", "123**********45"),
        ("12345", "*****"),
        ("", "*****"),
        ("9" * 400, "999**********99"),
        ("100*****01", "100*****01"),
        ("12345*67890", "123******90"),
    ],
)
def test_a_masked_number_shows_its_ends_only(number: str, masked: str) -> None:
    assert masked == mask_account_number(number)


@given(st.from_regex(r"[0-9]{6,15}", fullmatch=True))
def test_at_least_five_digits_of_any_account_number_stay_hidden(number: str) -> None:
    masked = mask_account_number(number)
    assert len(number) == len(masked)
    assert masked.count("*") >= 5
    assert masked == mask_account_number(masked)


def test_the_account_number_is_masked_wherever_it_stands() -> None:
    line = logged(
        account="1000000001",
        channel="PJSIP/1000000001-00000003",
        error="Key (account_number)=(2000000002) already exists.",
        request="agi://pbx/authorize?account=3000000003&ask=never",
        lines=["agi_accountcode: 4000000004", {"deep": "1000000001"}],
    )
    assert [] == re.findall(r"[1234]00000000[1234]", line)
    assert "100*****01" == json.loads(line)["account"]


def test_other_numbers_of_a_call_stay_readable() -> None:
    event = json.loads(logged(account="1000000001", destination="442079460000", account_id=12))
    assert "442079460000" == event["destination"]
    assert 12 == event["account_id"]


def test_passwords_and_connection_urls_are_masked() -> None:
    line = logged(
        dsn="postgresql://agi:geheim@db", secret="geheim", error="at redis://u:geheim@h/0"
    )
    assert "geheim" not in line
    assert "at redis://u:********@h/0" == json.loads(line)["error"]


def test_a_fault_is_one_line_without_traceback() -> None:
    out = io.StringIO()
    configure("json", "info", out)
    try:
        raise ValueError("first line\nsecond line, account=1000000001")
    except ValueError:
        structlog.get_logger().exception("agi.bad_peer")
    (line,) = out.getvalue().splitlines()
    event = json.loads(line)
    assert "first line second line, account=100*****01" == event["error"]
    assert "ValueError" == event["exc_type"]
    assert "Traceback" not in line


def test_debug_level_adds_the_traceback() -> None:
    out = io.StringIO()
    configure("json", "debug", out)
    structlog.get_logger().error("agi.bad_peer", exc_info=ValueError("x"))
    assert "ValueError: x" in json.loads(out.getvalue())["exception"]


def test_events_below_the_level_are_dropped() -> None:
    assert "" == logged(level="warning")


def test_what_libraries_log_becomes_an_event() -> None:
    out = io.StringIO()
    configure("json", "info", out)
    logging.getLogger("asyncio").error("Task failed\n  in two lines", exc_info=OSError("gone"))
    event = json.loads(out.getvalue())
    assert ("library.logged", "asyncio", "Task failed in two lines", "gone") == (
        event["event"],
        event["logger"],
        event["message"],
        event["error"],
    )


def test_that_somebody_stopped_the_program_is_no_fault_of_a_library() -> None:
    out = io.StringIO()
    configure("json", "info", out)
    logging.getLogger("asyncio").error("Fatal error", exc_info=KeyboardInterrupt())
    assert "" == out.getvalue()


def test_auto_is_json_where_there_is_no_terminal_and_console_is_pretty() -> None:
    assert "call.denied" == json.loads(logged("auto"))["event"]
    assert "call.denied" in logged("console")
    with pytest.raises(json.JSONDecodeError):
        json.loads(logged("console"))


def test_control_characters_from_a_caller_do_not_reach_the_terminal() -> None:
    line = logged("console", callerid="x\x1b[2J\nevil=1\udcff")
    assert 1 == len(line.splitlines())
    assert "\x1b" not in line


def test_every_event_in_the_source_is_in_the_documented_table() -> None:
    """Calls like `log.info("call.settled", …)` in all our modules."""
    used = set()
    for path in Path(agi_server.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        attr="debug" | "info" | "warning" | "error" | "exception" | "critical",
                        value=ast.Name(id="log" | "_log" | "logger" | "_logger"),
                    ),
                    args=[ast.Constant(value=str() as event), *_],
                ):
                    used.add(event)
    assert set() == used - set(EVENTS)
    assert [] == [event for event, meaning in EVENTS.items() if not meaning]
