"""What a script does to the books and the log, as its comments say it:

    # expect: log call.authorized call.settled
    # expect: call state=settled account=prepaid talk_ms=1900 cost_micros=2000
    # expect: charged prepaid 0.002

`log` names every event the daemon writes, in order (several such lines add up). There is one
`call` line for each call session, in order, with the fields of its CDR that matter to the script.
`charged` tells what an account pays. What a script does not say does not happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agi_server.calls.records import CallRecord
from rating.money import parse_money

_MARK = "# expect: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """`calls` and `charged_micros` name accounts as the scripts do."""

    log: tuple[str, ...] = ()
    calls: tuple[Mapping[str, str], ...] = ()
    charged_micros: Mapping[str, int] = field(default_factory=dict)


def expected_effect(path: Path) -> Effect:
    """The effect that a script file announces. Raises ValueError for a line that makes no sense."""
    log: list[str] = []
    calls: list[Mapping[str, str]] = []
    charged_micros: dict[str, int] = {}
    for line in path.read_bytes().decode("utf-8", "surrogateescape").split("\n"):
        if not line.startswith(_MARK):
            continue
        match line.removeprefix(_MARK).split():
            case ["log", *events]:
                log += events
            case ["call", *pairs]:
                calls.append(dict(pair.split("=", 1) for pair in pairs))
            case ["charged", account, amount]:
                charged_micros[account] = parse_money(amount)
            case _:
                raise ValueError(f"{path.name}: {line}")
    return Effect(log=tuple(log), calls=tuple(calls), charged_micros=charged_micros)


def described(
    records: list[CallRecord], wanted: tuple[Mapping[str, str], ...], names: Mapping[int, str]
) -> tuple[Mapping[str, str], ...]:
    """The call sessions by the fields that are wanted of them."""
    described = []
    for at, record in enumerate(records):
        keys = wanted[at] if at < len(wanted) else ("state", "account", "reason")
        described.append({key: _value(record, key, names) for key in keys})
    return tuple(described)


def _value(record: CallRecord, key: str, names: Mapping[int, str]) -> str:
    match key:
        case "account":
            return names.get(record.account_id, "nobody")
        case "flagged":
            return "no" if record.review is None else "yes"
        case _:
            value = getattr(record, key)
            return "" if value is None else str(value)
