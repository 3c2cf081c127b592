"""Knows which answers are legal, without knowing what the daemons do.

What happens at the same time has no order, so the auditor keeps bounds: a call is *surely* open
from its allowing answer until its end is first told, and *may* be open from its question until its
end is certain. An answer is legal if some order of all that overlapped it gives it.
"""

from dataclasses import dataclass, field
from itertools import count

from support.channel import Answer

SECOND_MICROS = 1_000
"""Also what a millisecond costs, in thousandths."""
MOST_MICROS = 3600 * SECOND_MICROS
"""What the longest grant holds."""


@dataclass(eq=False, slots=True)
class Call:
    """One question, and the call that came of it; instants are ticks of the auditor."""

    began: int
    daemon: str
    call_id: str = ""
    answered: int | None = None
    """When it was surely allowed."""
    held_micros: int = MOST_MICROS
    end_told: int | None = None
    closed: int | None = None
    """When it surely held nothing any more."""
    cost_micros: int = 0
    sure: bool = False
    """Its end was told to a daemon that lived on: it costs exactly this."""


@dataclass(slots=True)
class Books:
    """What the auditor knows of one account."""

    balance_micros: int
    limit: int
    calls: list[Call] = field(default_factory=list)
    refills: list[tuple[int, int, int | None]] = field(default_factory=list)
    """When it began, the amount, and when it was surely done."""


class Auditor:
    """Told of every step as it begins and ends; `wrong` is what no order of events explains."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.answers: dict[str, int] = {}
        self._books: dict[int, Books] = {}
        self._ticks = count(1)
        self._trouble: dict[str, int | None] = {}
        """Daemons that may answer `unavailable`: since the return of PostgreSQL, None if away."""

    def account(self, account_id: int, balance_micros: int, limit: int) -> None:
        self._books[account_id] = Books(balance_micros, limit)

    def postgres_dies(self, daemons: list[str]) -> None:
        self._trouble |= dict.fromkeys(daemons)

    def postgres_is_back(self) -> None:
        now = next(self._ticks)
        self._trouble = dict.fromkeys(self._trouble, now)

    def asks(self, account_id: int, daemon: str) -> Call:
        """An authorize begins."""
        call = Call(next(self._ticks), daemon)
        self._books[account_id].calls.append(call)
        return call

    def never_reached(self, call: Call) -> None:
        """There was no daemon to hear it."""
        call.closed = next(self._ticks)

    def lost(self, call: Call) -> None:
        """The daemon died before it answered: the call may be held, but is not dialled."""

    def answer(self, account_id: int, call: Call, answer: Answer, *, hung_up: bool) -> None:
        """An authorize was answered."""
        books, now = self._books[account_id], next(self._ticks)
        excused = call.daemon in self._trouble
        self.answers[answer.reason] = self.answers.get(answer.reason, 0) + 1
        least, most = self._open(books, call, now)
        poorest, richest = self._funds(books, call, now)
        legal = True
        if answer.allowed:
            held = answer.limit_ms  # a thousandth of a unit a second, so a micro a millisecond
            legal = (
                not hung_up
                and (not books.limit or least < books.limit)
                and min(MOST_MICROS, poorest // SECOND_MICROS * SECOND_MICROS) <= held <= richest
            )
            call.call_id, call.answered, call.held_micros = answer.call, now, held
        elif answer.reason == "too_many_calls":
            legal = 0 < books.limit <= most
        elif answer.reason == "no_credit":
            legal = poorest < SECOND_MICROS
        elif answer.reason == "cancelled":
            legal = hung_up
        else:
            legal = answer.reason == "unavailable" and excused
        if answer.reason in ("too_many_calls", "no_credit") or not excused:
            call.closed = None if answer.allowed else now
        if answer.reason != "unavailable":
            self._works(call)
        if not legal:
            self.wrong.append(
                f"{answer.decision} {answer.reason} {answer.limit_ms} of account {account_id}, at"
                f" tick {now} asked at {call.began}: open {least} to {most} of {books.limit},"
                f" funds {poorest} to {richest}" + ", hung up" * hung_up
            )

    def end_begins(self, call: Call, cost_micros: int) -> None:
        """Its end is being told."""
        call.end_told = call.end_told or next(self._ticks)
        call.cost_micros = cost_micros

    def ended(self, call: Call, *, sure: bool) -> None:
        """It was told; not for sure where the daemon died before it was done."""
        if sure:
            call.sure = True
            call.closed = call.closed or next(self._ticks)

    def refill_begins(self, account_id: int, amount_micros: int) -> int:
        refills = self._books[account_id].refills
        refills.append((next(self._ticks), amount_micros, None))
        return len(refills) - 1

    def refilled(self, account_id: int, number: int) -> None:
        refills = self._books[account_id].refills
        began, amount_micros, _ = refills[number]
        refills[number] = began, amount_micros, next(self._ticks)

    @property
    def costs(self) -> dict[str, int]:
        """What calls that were answered cost, whose end was told at least once."""
        return {
            call.call_id: call.cost_micros
            for books in self._books.values()
            for call in books.calls
            if call.call_id and call.end_told is not None
        }

    @property
    def sure(self) -> dict[str, int]:
        """What calls cost for sure."""
        told = [call for books in self._books.values() for call in books.calls if call.sure]
        return {call.call_id: call.cost_micros for call in told}

    @property
    def allowed(self) -> set[str]:
        """Calls that Asterisk was told to dial."""
        return {call.call_id for b in self._books.values() for call in b.calls if call.call_id}

    def credit(self, account_id: int) -> int:
        """All that was ever given to an account."""
        books = self._books[account_id]
        return books.balance_micros + sum(amount for _, amount, _ in books.refills)

    def _works(self, call: Call) -> None:
        back = self._trouble.get(call.daemon)
        if back is not None and call.began > back:
            del self._trouble[call.daemon]

    def _open(self, books: Books, call: Call, now: int) -> tuple[int, int]:
        """The least and the most other calls that were open at some time of this question."""
        others = [other for other in books.calls if other is not call]
        surely = [other for other in others if _surely_open(other, call)]
        perhaps = [other for other in others if _perhaps_open(other, call)]
        return len(surely), len(perhaps)

    def _funds(self, books: Books, call: Call, now: int) -> tuple[int, int]:
        """The least and the most that could be available at some time of this question."""
        poorest = richest = books.balance_micros
        for _, amount_micros, done in books.refills:
            richest += amount_micros
            poorest += amount_micros if done is not None and done < call.began else 0
        for other in books.calls:
            if other is call:
                continue
            if _surely_open(other, call):
                richest -= other.held_micros
            elif other.sure and other.closed is not None and other.closed < call.began:
                richest -= other.cost_micros
            if _perhaps_open(other, call):
                poorest -= max(other.held_micros, other.cost_micros)
            else:
                poorest -= other.cost_micros
        return max(0, poorest), richest


def _surely_open(other: Call, call: Call) -> bool:
    return other.answered is not None and other.answered < call.began and other.end_told is None


def _perhaps_open(other: Call, call: Call) -> bool:
    return other.closed is None or other.closed > call.began
