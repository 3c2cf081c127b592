"""The log: one JSON object a line on stdout, pretty on a terminal.

`event` is one of `EVENTS`. Every call event carries `call_id`, `account_id`, masked `account`,
`uniqueid`, `duration_ms` of the work; decisions also `reason`, `destination_prefix`, `limit_ms`,
`held_micros`; settlements `billed_seconds`, `cost_micros`, `balance_micros`. One line per phase.
A fault is one line too: `error` and `exc_type`; its traceback (`exception`) only at level debug.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from agi_server.observe.masking import mask_account_number, mask_event

__all__ = ["EVENTS", "Format", "Level", "configure", "mask_account_number"]

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "call.authorized": "A call may start; its hold is committed.",
        "call.denied": "A call may not start; `reason` says why.",
        "call.emergency": "A call to an emergency number is put through: `destination`, `target`.",
        "call.answered": "Supervision saw the called party answer.",
        "call.extended": "A call in rolling mode got a further slice.",
        "call.hung_up": "A call was hung up: its account may not call any more, `reason` says why.",
        "call.settled": "A call was debited, once, and its hold released.",
        "call.settle_repeated": "Settle was asked again for a call already settled; nothing done.",
        "call.recovered": "A call whose settle never came was settled by another `witness`.",
        "call.orphan_settled": "A call whose end nobody saw was charged by its rule: `witness`.",
        "call.witnesses_differ": "Two witnesses tell of talks that differ by more than a second.",
        "slot.reconciled": "Slots of simultaneous access were rebuilt from the open calls.",
        "account.created": "A customer account was created.",
        "business.changed": "A field of a call plan, trunk, group, series or campaign was changed.",
        "account.changed": "A field of an account was changed; `field` says which.",
        "account.low_credit": "An account's available funds fell below its threshold.",
        "ledger.mismatch": "A balance differs from the sum of its entries.",
        "auth.locked_out": "Too many wrong account numbers: a caller or source is locked out.",
        "agi.bad_peer": "A peer broke the protocol or asked for what it may not: `error`.",
        "agi.failed": "A fault of ours ended one AGI session; its call is denied.",
        "backend.down": "PostgreSQL, Redis or an Asterisk does not answer: `backend`, `server`.",
        "backend.up": "It answers again.",
        "asterisk.connected": "An Asterisk is supervised (again): `server`, `system_name`.",
        "web.started": "The console and the API are served at `host` and `port`.",
        "web.unavailable": "They are not: `error` says why; calls go on, it is tried again.",
        "web.signed_in": "An operator signed in to the console.",
        "web.sign_in_refused": "A sign-in was refused: `reason` is wrong or locked_out.",
        "web.number_shown": "An operator had an account number shown in full.",
        "web.link_shown": "An operator had the confirmation link of an account shown.",
        "web.hung_up": "An operator asked Asterisk to end a call.",
        "web.refused": "An operator asked for what they may not: `reason`, `path`.",
        "web.failed": "A fault of ours ended one request of the console or the API.",
        "server.started": "The daemon accepts calls.",
        "server.draining": "The daemon accepts no more calls and finishes those it has.",
        "server.stopped": "The daemon has ended.",
        "background.failed": "Work beside the calls ended with a fault.",
        "library.logged": "A library's own warning: `logger` and `message`.",
    }
)


def configure(format: Format = "auto", level: Level = "info", file: TextIO | None = None) -> None:
    """Set up the log of this process, that of the libraries (warnings and worse) included.

    `file` is stdout unless given; `auto` is pretty when it is a terminal.
    """
    stream = file or sys.stdout
    pretty = format == "console" or (format == "auto" and stream.isatty())
    severity = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        _one_line_faults if severity > logging.DEBUG else _faults_with_traceback,
        _mask,
    ]
    if pretty:
        processors += [_printable, structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    else:
        processors.append(_json)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(severity),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        handlers=[_LibraryHandler()], level=max(severity, logging.WARNING), force=True
    )
    logging.captureWarnings(True)


class _LibraryHandler(logging.Handler):
    """What libraries log with the standard module becomes an event of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], KeyboardInterrupt):
            return  # whoever stopped the program may have hit a transport: that is no fault of it
        structlog.get_logger().log(
            record.levelno,
            "library.logged",
            logger=record.name,
            message=" ".join(record.getMessage().split()),
            exc_info=record.exc_info,
        )


def _one_line_faults(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    fault = _fault(event)
    if fault is not None:
        event.setdefault("error", " ".join(str(fault).split()))
        event["exc_type"] = type(fault).__name__
    return event


def _faults_with_traceback(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    fault = _fault(event)
    event["exc_info"] = fault
    _one_line_faults(logger, method, event)
    if fault is not None:
        event["exception"] = "".join(traceback.format_exception(fault))
    return event


def _fault(event: EventDict) -> BaseException | None:
    given = event.pop("exc_info", None)
    match given:
        case BaseException():
            return given
        case (_, BaseException() as fault, _):
            return fault
        case _:
            return sys.exception() if given else None


def _mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return mask_event(event)


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What a caller sent must not move the cursor of an operator's terminal."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception" and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode()
    return event


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return json.dumps({**first, **event}, default=str, separators=(",", ":"))
