"""Price settled calls again: find what they should have cost, and correct the ledger if told to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

import asyncpg

from agi_server.calls.call_end import CallEnd
from agi_server.calls.pricing import CallTerms, CardTerms, lines_as_json
from agi_server.calls.sessions import routes_as_json, terms_of_row
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs.stored_rates import rules_of_json
from agi_server.tariffs.table_builder import read_rates
from rating.charges import rate_in_force
from rating.currency import ExchangeTable
from rating.number import MAX_SHORT_DIGITS
from rating.prefix_table import PrefixTable
from rating.price import Price

_AT_A_TIME = 500
_MOST_PASSES = 10
"""Three suffice, one of which finds nothing, unless others change calls of the same packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerated:
    """A call that would cost something else. `cost_micros` is what it has cost so far.

    `price` is what it costs by `terms`; both are None where no rate is in force that prices the
    call: nothing can be corrected then. `buy_cost_micros` is what it was bought for so far.
    `package_used` is what it took of a package (None: there was none), `package_rerated` what it
    would take.
    """

    account_id: int
    call_id: str
    authorized_at: datetime
    currency: str
    prefix: str
    cost_micros: int
    buy_cost_micros: int
    terms: CallTerms | None
    price: Price | None
    package_used: int | None
    package_rerated: int | None

    @property
    def difference_micros(self) -> int | None:
        """How much dearer the call becomes (negative: cheaper)."""
        return None if self.price is None else self.price.total_micros - self.cost_micros

    @property
    def frees_package(self) -> bool:
        """Whether it takes less of its package than before."""
        return self.price is not None and (self.package_rerated or 0) < (self.package_used or 0)


class Correction(Enum):
    """What became of a call that was to be corrected: by us, by somebody else to the very same
    price, or not, since it was changed otherwise or its package has less left."""

    BOOKED = auto()
    BOOKED_BY_ANOTHER = auto()
    OVERTAKEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """The calls that came out differently, by their start, each with what became of it (None: no
    rate prices it): `cost_micros` and the like are what it was before all passes.

    Not `settled`: the last pass still found something, since others kept changing calls.
    """

    calls: list[tuple[Rerated, Correction | None]]
    settled: bool


async def rerate(
    db: Any,
    begin: datetime,
    end: datetime,
    *,
    in_force: bool,
    exchange_table: ExchangeTable | None = None,
    only_with_package: bool = False,
) -> AsyncIterator[Rerated]:
    """The calls authorized in [begin, end) whose price differs; nothing is changed.

    By the terms that each call was promised or last corrected to, or with `in_force` by the version
    of its card that is in force at its start by now. Its currency is converted as it was, or by the
    rate of its start in an `exchange_table`. Discount and time of the answer stay, and so does the
    part of a package that was held for the call, less what others took of it since; a call that was
    corrected keeps what it got then, unless it is priced by what is in force.
    """
    rates = _Rates(db)
    after: tuple[datetime, int, str] = (begin, -1, "")
    while True:
        rows = await db.fetch(
            statement("calls/settled_between"), begin, end, *after, _AT_A_TIME, only_with_package
        )
        for row in rows:
            left = row["package_left"]
            call = await _rerated(rates, row, left, in_force, exchange_table)
            if call is not None and left is not None:
                # Corrections of the calls before it may have changed that since the row was read.
                package = (row["account_id"], row["package_id"], row["package_begins_on"])
                now_left = await db.fetchval(statement("calls/package_left"), *package)
                if now_left != left:
                    call = await _rerated(rates, row, now_left, in_force, exchange_table)
            if call is not None:
                yield call
        if len(rows) < _AT_A_TIME:
            return
        after = (rows[-1]["authorized_at"], rows[-1]["account_id"], rows[-1]["call_id"])


async def correct_all(
    db: Any,
    begin: datetime,
    end: datetime,
    *,
    in_force: bool,
    exchange_table: ExchangeTable | None = None,
    created_by: str,
    reason: str,
    at: datetime,
    most_passes: int = _MOST_PASSES,
) -> Corrections:
    """Correct what `rerate` finds until it finds nothing more that can be corrected.

    First the calls that free a part of their package, so that it is there for those that need more,
    in the order of their starts. Then all; then those with a package again, as often as that finds
    something: what a live call held, or somebody else freed meanwhile, may have become free.
    """
    done: dict[tuple[int, str], tuple[Rerated, Correction | None]] = {}
    settled = False
    for number in range(most_passes):
        for key, (call, correction) in done.items():
            if correction is Correction.OVERTAKEN and call.package_used is not None:
                # It is tried again now, unless it comes out as it should.
                done[key] = call, Correction.BOOKED_BY_ANOTHER
        found = False
        async for call in rerate(
            db,
            begin,
            end,
            in_force=in_force,
            exchange_table=exchange_table,
            only_with_package=number != 1,
        ):
            if number == 0 and not call.frees_package:
                continue
            correction = None
            if call.price is not None:
                found = True
                correction = await correct(db, call, created_by=created_by, reason=reason, at=at)
            key = (call.account_id, call.call_id)
            before = done[key][0] if key in done else call
            call = replace(
                call,
                cost_micros=before.cost_micros,
                buy_cost_micros=before.buy_cost_micros,
                package_used=before.package_used,
            )
            done[key] = call, correction
        settled = number > 0 and not found
        if settled:
            break
    calls = sorted(
        done.values(), key=lambda each: (each[0].authorized_at, each[0].account_id, each[0].call_id)
    )
    return Corrections(calls=calls, settled=settled)


async def correct(
    db: Any, call: Rerated, *, created_by: str, reason: str, at: datetime
) -> Correction:
    """Book the difference by a correcting entry, unless somebody was faster.

    What the account's funds do not cover goes to the overrun account, as at settlement. What the
    call takes of its package more or less is booked with it. The call then names the rates by which
    it is priced.
    """
    assert call.price is not None
    assert call.terms is not None
    sell = call.terms.sell
    try:
        row = await db.fetchrow(
            statement("calls/correct_call"),
            call.account_id,
            call.call_id,
            call.price.total_micros,
            call.cost_micros,
            lines_as_json(call.price),
            at,
            created_by,
            reason,
            call.package_rerated,
            call.package_used,
            call.price.buy_total_micros,
            call.buy_cost_micros,
            sell.version_id,
            sell.rate.prefix,
            sell.rate.effective_from,
            routes_as_json(call.terms),
            call.price.billed_seconds,
            None if sell.factor == 1 else str(sell.factor),
        )
    except asyncpg.CheckViolationError as refused:
        if refused.constraint_name != "package_use_within_amount":
            raise
        return Correction.OVERTAKEN  # others took meanwhile what was left of the package
    if row is not None:
        return Correction.BOOKED
    row = await db.fetchrow(statement("calls/what_it_cost"), call.account_id, call.call_id)
    wanted = (call.price.total_micros, call.price.buy_total_micros, call.package_rerated)
    return Correction.BOOKED_BY_ANOTHER if tuple(row) == wanted else Correction.OVERTAKEN


class _Rates:
    """Looks up what is in force by now."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self._currencies: dict[int, str] = {}

    async def terms_in_force(self, row: Any, terms: CallTerms) -> CallTerms | None:
        """The terms by the versions in force at the call's start; None where one has no rate."""
        sell = await self._card_terms(row, terms.sell)
        if sell is None:
            return None
        routes: list[CardTerms] = []
        carrier = terms.route_that_carried(row["route"])
        for number, route in enumerate(terms.routes, start=1):
            again = sell if route == terms.sell else await self._card_terms(row, route)
            if again is None and number == carrier:
                return None
            routes.append(again or route)  # one that did not carry the call may have lost its rate
        return replace(terms, sell=sell, routes=tuple(routes))

    async def converted(
        self, row: Any, terms: CallTerms, exchange_table: ExchangeTable
    ) -> CallTerms | None:
        """With the factors of the call's start; None where its currency has no rate then."""
        sell = await self._with_factor(row, terms.sell, exchange_table)
        if sell is None:
            return None
        routes: list[CardTerms] = []
        carrier = terms.route_that_carried(row["route"])
        for number, route in enumerate(terms.routes, start=1):
            again = await self._with_factor(row, route, exchange_table)
            if again is None and number == carrier:
                return None
            routes.append(again or route)
        return replace(terms, sell=sell, routes=tuple(routes))

    async def _with_factor(
        self, row: Any, terms: CardTerms, exchange_table: ExchangeTable
    ) -> CardTerms | None:
        version_id = terms.version_id
        if version_id is None:
            return terms
        if version_id not in self._currencies:
            currency = await self._db.fetchval(statement("calls/currency_of_version"), version_id)
            self._currencies[version_id] = currency
        source = self._currencies[version_id]
        exchange = exchange_table.exchange(source, row["currency"], row["authorized_at"])
        return None if exchange is None else replace(terms, factor=exchange.factor)

    async def _card_terms(self, row: Any, terms: CardTerms) -> CardTerms | None:
        if terms.version_id is None:
            return terms
        at = row["authorized_at"]
        version = await self._db.fetchrow(statement("calls/version_in_force"), terms.version_id, at)
        if version is None:
            return None
        rates = await read_rates(self._db, version["id"], row["destination"])
        rate = PrefixTable(rates).lookup(row["destination"], at)
        rules = rules_of_json(version["rules"])
        if rate is None or rate_in_force(rate, at, rules).blocked:
            return None
        if terms.rate.prefix == row["destination"] != rate.prefix and _is_short(row["destination"]):
            return None  # a short code, of which no shorter prefix is the rate
        return CardTerms(
            version_id=version["id"],
            rate=rate,
            rules=rules,
            factor=terms.factor,
        )


def _is_short(number: str) -> bool:
    return len(number) <= MAX_SHORT_DIGITS


async def _rerated(
    rates: _Rates, row: Any, left: int | None, in_force: bool, exchange_table: ExchangeTable | None
) -> Rerated | None:
    """The call as it comes out with so much left of its package; None: as it did before."""
    corrected = row["corrected_cost_micros"] is not None
    promised = _terms(row, 0 if corrected and not in_force else left or 0)
    terms = await rates.terms_in_force(row, promised) if in_force else promised
    if terms is not None and exchange_table is not None:
        terms = await rates.converted(row, terms, exchange_table)
    cost_micros = row["corrected_cost_micros"] if corrected else row["cost_micros"]
    buy_cost_micros = row["buy_cost_micros"] or 0
    price = None if terms is None else _price(row, terms)
    package_rerated = terms.package.used(price) if terms and terms.package else None
    if (
        price is not None
        and price.total_micros == cost_micros
        and price.buy_total_micros == buy_cost_micros
        and package_rerated == row["package_used"]
    ):
        return None
    return Rerated(
        account_id=row["account_id"],
        call_id=row["call_id"],
        authorized_at=row["authorized_at"],
        currency=row["currency"],
        prefix=row["prefix"],
        cost_micros=cost_micros,
        buy_cost_micros=buy_cost_micros,
        terms=terms,
        price=price,
        package_used=row["package_used"],
        package_rerated=package_rerated,
    )


def _terms(row: Any, left: int) -> CallTerms:
    """What the call was promised; of its package what it has, and at most so much more."""
    terms = terms_of_row(row)
    if terms.package is None or row["package_used"] is None:
        return terms
    most = row["package_used"] + max(left, 0)
    return replace(terms, package=replace(terms.package, held=min(terms.package.held, most)))


def _price(row: Any, terms: CallTerms) -> Price | None:
    end = CallEnd(
        dialstatus="",
        talk_ms=row["talk_ms"],
        hangupcause=None,
        route=row["route"],
        answered_at=row["answered_at"],
        ended_at=None,
    )
    return terms.price(end, row["authorized_at"], row["limit_ms"], row["settled_at"])
