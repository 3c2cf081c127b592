"""May this call start, and for how long: the checks in order, the price, the slot, the hold."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from agi_server.calls.candidate import (
    Candidate,
    Funds,
    Terms,
    dial_targets,
    grant_terms,
    promised_terms,
)
from agi_server.calls.decision import Decision, Denial, Grant
from agi_server.calls.dial import NumberNotDialableError, limit_option
from agi_server.calls.dialled import normalise_dialled
from agi_server.calls.did_calls import Placed, of_the_owner, over_trunks, ring_did, stay_on_net
from agi_server.calls.identify import (
    Account,
    Failures,
    Found,
    FoundDid,
    Lookup,
    Method,
    count_failure,
    ending,
    find_account,
)
from agi_server.calls.policy import (
    LockOut,
    refuse_caller,
    refuse_number,
    refuse_pace,
    refuse_parallel,
    refuse_price,
)
from agi_server.calls.reasons import Reason
from agi_server.calls.request import CallRequest
from agi_server.calls.sessions import OpenSession, SessionMemory, new_call_id, routes_as_json
from agi_server.calls.slices import Slicing
from agi_server.calls.slot_repair import SlotRepair
from agi_server.calls.trunk_leases import TrunkLeases
from agi_server.calls.void import Voider
from agi_server.calls.why_refused import why_refused
from agi_server.settings import AccountsSettings, CallsSettings, RatingSettings
from agi_server.storage.postgres.statements import statement
from agi_server.storage.redis.slots import SlotAnswer, Slots
from agi_server.tariffs.tables import Quote, TariffStore
from rating.number import NumberInvalid

log = structlog.get_logger()

# The funds may change between our read and the hold; after so many tries the caller hears why not.
_HOLD_TRIES = 4


class Authorizer:
    """Decides calls. Takes what it needs; keeps nothing that another daemon could not rebuild."""

    def __init__(
        self,
        *,
        db: Any,
        slots: Slots,
        tariffs: TariffStore,
        sessions: SessionMemory,
        repair: SlotRepair,
        voider: Voider,
        leases: TrunkLeases,
        calls: CallsSettings,
        accounts: AccountsSettings,
        rating: RatingSettings,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._slots = slots
        self._tariffs = tariffs
        self._sessions = sessions
        self._repair = repair
        self._voider = voider
        self._leases = leases
        self._calls = calls
        self._country = rating.country
        self._failures_window_s = accounts.failures_window_s
        self._lock_out = LockOut(
            failures_per_caller=accounts.failures_per_caller,
            failures_per_source=accounts.failures_per_source,
        )
        self._now = now

    async def find(self, request: CallRequest, lookup: Lookup) -> Found:
        """Who is calling; a wrong passed or typed number is counted against the caller."""
        now = self._now()
        on_net = lookup.method is not Method.DID and self._calls.on_net != "off"
        found = await find_account(self._db, request, lookup, now, on_net=on_net)
        if found.account is None and lookup.method.counts_failures:
            failures = await count_failure(self._db, request, now, self._failures_window_s)
            self._tell_lock_out(request, failures)
        return found

    def _tell_lock_out(self, request: CallRequest, failures: Failures) -> None:
        """Once for each lock-out: with the failure that reaches the bound."""
        if failures.caller == self._lock_out.failures_per_caller:
            log.warning("auth.locked_out", scope="caller", caller=request.caller)
        if failures.source == self._lock_out.failures_per_source:
            log.warning("auth.locked_out", scope="source", source=request.source)

    def refuse_caller(self, found: Found) -> Denial | None:
        """The checks that need no destination: lock-out, account, status, expiry, own lock."""
        reason = refuse_caller(found, self._lock_out, self._now())
        return None if reason is None else self.denial(found, reason)

    def denial(
        self,
        found: Found,
        reason: Reason,
        *,
        destination: str | None = None,
        plan_id: int | None = None,
        quote: Quote | None = None,
    ) -> Denial:
        """A refusal that tells what was found out about the caller, for log and CDR."""
        account = found.account
        if destination is None and found.did is not None:
            destination = found.did.number
        return Denial(
            reason=reason,
            account_id=account.id if account else 0,
            account_number=account.account_number if account else "",
            language=account.language if account else "",
            identified_by=found.method.value,
            destination=destination,
            prefix=quote.sell.rate.prefix if quote else None,
            plan_id=quote.plan.id or None if quote else plan_id,
        )

    async def decide(self, request: CallRequest, found: Found) -> Decision:
        """The decision. On an allow, money and a slot are held until settle or void.

        Raises what the backends raise; then nothing stays held, whatever had been reached.
        """
        now = self._now()
        if (denial := self.refuse_caller(found)) is not None:
            return denial
        account = found.account
        assert account is not None
        if found.did is not None:
            return await self._decide_inbound(request, found, account, found.did, now)
        tariffs = self._tariffs.current
        plan_id = account.plan_id
        if request.plan is not None:
            plan_id = tariffs.plan_ids.get(request.plan)
        dialling = tariffs.dialling(plan_id)
        normalised = normalise_dialled(request.dialled, account.country, self._country, dialling)
        if isinstance(normalised, NumberInvalid):
            return self.denial(found, Reason.NUMBER_INVALID)
        number = normalised.number
        if (reason := refuse_number(account, number, request.dialled, plan_id)) is not None:
            return self.denial(found, reason, destination=number)
        placed: Placed | None
        if await self._is_on_net(request, found, number, now):
            on_net = self._calls.on_net
            placed = stay_on_net(normalised, account, plan_id, tariffs, on_net, now)
        else:
            placed = over_trunks(normalised, account, plan_id, tariffs, now)
        if placed is None:
            return self.denial(found, Reason.NO_RATE, destination=number, plan_id=plan_id)
        return await self._admit(request, found, account, number, placed, now)

    async def _decide_inbound(
        self, request: CallRequest, found: Found, account: Account, did: FoundDid, now: datetime
    ) -> Decision:
        """A call from outside to a DID of the account."""
        placed = ring_did(did, account, self._tariffs.current, self._calls.inbound_plan, now)
        if isinstance(placed, Reason):
            return self.denial(found, placed)
        owner = of_the_owner(account, did)
        return await self._admit(request, found, owner, did.number, placed, now)

    async def _is_on_net(
        self, request: CallRequest, found: Found, number: str, now: datetime
    ) -> bool:
        """Whether the number is a DID that takes calls, where these stay on-net."""
        if self._calls.on_net == "off":
            return False
        numbers = found.on_net
        # The caller was known before the number was, or that was dialled as a short local one.
        if found.dialled != request.dialled or ending(number) != ending(request.dialled):
            sql = statement("calls/on_net_numbers")
            numbers = await self._db.fetchval(sql, ending(number), now) or ()
        return number in numbers

    async def _admit(
        self,
        request: CallRequest,
        found: Found,
        account: Account,
        number: str,
        placed: Placed,
        now: datetime,
    ) -> Decision:
        """The checks that need a price; then slot and hold."""
        quote = placed.quote
        reason = (
            (None if quote.routes else Reason.NO_ROUTE)
            or refuse_price(account, quote.dearest_minute())
            or refuse_pace(account, found.method, now)
            or refuse_parallel(account, found.method)
        )
        if reason is None:
            candidate = Candidate(
                request=request,
                found=found,
                account=account,
                number=number,
                exact=placed.exact,
                quote=quote,
                tariffs=placed.tariffs,
                routes=quote.routes,
                ways=placed.ways,
                direction=placed.direction,
                did=placed.did,
                legs=placed.legs,
                call_id=new_call_id(account.id),
                now=now,
            )
            try:
                reserved = await self._reserve(candidate)
            except NumberNotDialableError:
                return self.denial(found, Reason.NUMBER_INVALID)
            if isinstance(reserved, Grant):
                return reserved
            reason = reserved
        return self.denial(found, reason, destination=number, quote=quote)

    async def _reserve(self, call: Candidate) -> Grant | Reason:
        """Take slot and hold, both or none."""
        try:
            return await self._take(call)
        except BaseException:
            # Whether the hold was committed is unknown: make sure that nothing stays.
            self._voider.void_later(call.account.id, call.call_id, call.counted_trunk_ids)
            raise

    async def _take(self, call: Candidate) -> Grant | Reason:
        """Slot, trunk, then hold; when the funds moved meanwhile, once more with what is left."""
        account = call.account
        targets = dial_targets(call)
        funds = Funds(
            available_micros=account.available_micros // call.legs,
            caps=account.caps,
            package_use=account.package_use,
        )
        slot: SlotAnswer | None = None
        leased = False
        reason = Reason.NO_CREDIT
        for _ in range(_HOLD_TRIES):
            terms = grant_terms(call, funds, self._calls)
            if isinstance(terms, Reason):
                reason = terms
                break
            if slot is None:
                slot = await self._slots.take(
                    account.id, call.call_id, call.most_slots, terms.lease_ms
                )
            if not leased:
                leased = True
                call = replace(call, routes=terms.routes)
                full = await self._leases.take(call.trunks, call.call_id, terms.lease_ms)
                if full:
                    call = replace(call, routes=call.routes[full:])
                    terms = grant_terms(call, funds, self._calls)
                    if isinstance(terms, Reason):
                        reason = terms
                        break
            open_calls = await self._hold(call, terms)
            if open_calls is not None:
                self._repair.compare(account.id, slot, open_calls)
                return self._grant(call, terms, funds.available_micros, targets)
            refused = await why_refused(self._db, call)
            if isinstance(refused, Reason):
                reason = refused
                break
            funds = refused
        if slot is not None:
            await self._slots.release(account.id, call.call_id, call.counted_trunk_ids)
        return reason

    async def _hold(self, call: Candidate, terms: Terms) -> int | None:
        """The calls in progress with this one; None when funds or limits refused it."""
        request, promised = call.request, promised_terms(call, terms)
        rate, package = promised.sell.rate, terms.package
        try:
            open_calls: int | None = await self._db.fetchval(
                statement("calls/take_hold"),
                call.account.id,
                call.call_id,
                terms.held_micros,
                call.now,
                request.server,
                request.uniqueid,
                request.channel,
                call.found.method.value,
                request.callerid,
                request.dialled,
                call.number,
                call.now + timedelta(milliseconds=terms.hold_ms),
                terms.grant_s * 1000,
                call.account.currency,
                call.quote.plan.id or None,
                promised.sell.version_id,
                rate.prefix,
                rate.effective_from,
                [call.ways[route.trunk].id or None for route in terms.routes],
                promised.discount_basis_points,
                promised.sell_price,
                None if promised.sell.factor == 1 else str(promised.sell.factor),
                routes_as_json(promised),
                promised.answer_by,
                package.named.id if package else None,
                package.begins_on if package else None,
                package.ends_on if package else None,
                package.named.package.amount if package else None,
                terms.package_units,
                None if terms.cap_s is None else terms.cap_s * 1000,
                None if terms.cap_s is None else call.now + self._first_look(terms),
                call.direction,
                call.did,
            )
        except asyncpg.CheckViolationError as refused:
            if refused.constraint_name != "package_use_within_amount":
                raise
            return None  # a parallel call was faster; nothing is held
        return open_calls

    def _first_look(self, terms: Terms) -> timedelta:
        """After this time supervision looks after a rolling hold: as if answered at once."""
        return timedelta(seconds=Slicing(self._calls.slice_s).due_in_s(terms.grant_s))

    def _grant(
        self, call: Candidate, terms: Terms, available_micros: int, targets: dict[str, str]
    ) -> Grant:
        account, limit_ms = call.account, terms.grant_s * 1000
        prefix = call.quote.sell.rate.prefix
        self._sessions.remember(
            OpenSession(
                account_id=account.id,
                account_number=account.account_number,
                call_id=call.call_id,
                server=call.request.server,
                uniqueid=call.request.uniqueid,
                authorized_at=call.now,
                limit_ms=limit_ms,
                cap_ms=None if terms.cap_s is None else terms.cap_s * 1000,
                held_micros=terms.held_micros,
                currency=account.currency,
                prefix=prefix,
                terms=promised_terms(call, terms),
                counted_trunk_ids=call.counted_trunk_ids,
            )
        )
        return Grant(
            call_id=call.call_id,
            account_id=account.id,
            account_number=account.account_number,
            language=account.language,
            presented_callerid=account.presented_callerid,
            identified_by=call.found.method.value,
            destination=call.number,
            prefix=prefix,
            plan_id=call.quote.plan.id or None,
            limit_ms=limit_ms,
            affordable_ms=terms.affordable_s * 1000,
            absolute_timeout_s=None if terms.cap_s is None else terms.ringing_s + terms.grant_s,
            held_micros=terms.held_micros,
            available_micros=available_micros,
            ring_timeout_s=terms.ring_timeout_s,
            dial_targets=tuple(targets[route.trunk] for route in terms.routes),
            dial_options=limit_option(
                (terms.cap_s or terms.grant_s) * 1000,
                self._calls.warn_left_ms,
                self._calls.warn_every_ms,
            ),
            trunks=tuple(call.ways[route.trunk] for route in terms.routes),
            lease_ms=terms.lease_ms,
        )
