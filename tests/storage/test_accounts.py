import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from agi_server.accounts import callerids, campaigns, customers, groups, notes, restrictions
from agi_server.accounts.account import (
    Account,
    AccountStatus,
    ExpiryMode,
    PaymentType,
    Restriction,
    new_account,
)
from agi_server.accounts.account_lists import replace_callerids
from agi_server.accounts.audit import Editor
from agi_server.accounts.changes import update_account, update_with_phones
from agi_server.accounts.restrictions import RuleOwner
from agi_server.ledger.verify import verify
from agi_server.refused import InvalidFieldError, NotFoundError, RefusedError
from agi_server.settings import PhonesSettings
from agi_server.storage.postgres.statements import statement
from agi_server.tariffs import plans, rate_cards
from rating.rate import Rate
from support.business import until_waiting_for_a_lock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EDITOR = Editor(changed_by="test", at=NOW)


async def create(pool: Any, refill_micros: int = 0, **fields: Any) -> Account:
    account, _ = await customers.create_account(
        pool,
        new_account(**{"currency": "EUR", **fields}),
        number_length=10,
        max_callerids=2,
        refill_micros=refill_micros,
        created_by="test",
        at=NOW,
    )
    return account


async def test_an_account_is_stored_with_every_field_that_was_given(pool: Any) -> None:
    await rate_cards.store_version(
        pool,
        "retail",
        [Rate(prefix="44")],
        rate_cards.Source(name="x", sha256="0"),
        currency=None,
        default_currency="EUR",
        at=NOW,
    )
    await plans.create_plan(pool, "standard", ["retail"])
    await groups.create_group(pool, "offices")
    created = await create(
        pool,
        refill_micros=2_500_000,
        account_number="1000000001",
        plan="standard",
        group="offices",
        status=AccountStatus.NEW,
        payment_type=PaymentType.POSTPAID,
        credit_limit_micros=5_000_000,
        simultaneous_access=3,
        calls_per_second=2,
        max_price_micros_per_minute=900_000,
        discount_basis_points=750,
        country="fr",
        language="fr",
        timezone="Europe/Paris",
        expiry_mode=ExpiryMode.AT_DATE,
        expiry_date=datetime(2026, 7, 1, 23, 59, 59),
        restriction=Restriction.BLACKLIST,
        restricted_numbers=["4420*", "_33[67]X."],
        callerids=["+442079460000", "33123456789"],
    )
    found = await customers.find_by_number(pool, "1000000001")
    assert created == found
    assert found == await customers.find_by_id(pool, found.id)
    assert found == Account(
        id=found.id,
        account_number="1000000001",
        status=AccountStatus.NEW,
        group="offices",
        plan="standard",
        payment_type=PaymentType.POSTPAID,
        currency="EUR",
        balance_micros=2_500_000,
        web_login=found.web_login,
        held_micros=0,
        credit_limit_micros=5_000_000,
        in_use=0,
        simultaneous_access=3,
        calls_per_second=2,
        max_price_micros_per_minute=900_000,
        discount_basis_points=750,
        country="FR",
        locked=False,
        language="fr",
        timezone="Europe/Paris",
        expiry_mode=ExpiryMode.AT_DATE,
        expiry_date=datetime(2026, 7, 1, 23, 59, 59),
        expiry_days=None,
        restriction=Restriction.BLACKLIST,
        restricted_numbers=("4420*", "_33[67]X."),
        callerids=("33123456789", "442079460000"),
        first_use_at=None,
        created_at=NOW,
    )
    assert datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC) == found.expires_at
    assert 7_500_000 == found.available_micros
    async with pool.acquire() as db:
        assert [] == await verify(db)


async def test_generated_numbers_have_the_set_length_and_differ(pool: Any) -> None:
    numbers = {(await create(pool)).account_number for _ in range(20)}
    assert 20 == len(numbers)
    assert {10} == {len(number) for number in numbers}
    assert "0" not in {number[0] for number in numbers}


async def test_a_taken_number_is_refused_and_the_message_masks_it(pool: Any) -> None:
    await create(pool, account_number="1000000001")
    with pytest.raises(RefusedError, match=r"100\*{5}01 belongs to a customer already"):
        await create(pool, account_number="1000000001")


async def test_used_up_numbers_are_told_instead_of_drawn_for_ever(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(pool, account_number="1234567890")
    monkeypatch.setattr(customers, "generate_account_number", lambda length, luhn: "1234567890")
    with pytest.raises(RefusedError, match=r"accounts\.number_length"):
        await create(pool)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"plan": "none"}, "there is no call plan none"),
        ({"group": "none"}, "there is no group none"),
        ({"callerids": ["442079460000"]}, "CallerID 442079460000 belongs to a customer already"),
        ({"callerids": ["111", "222", "333"]}, "a customer has at most 2 CallerIDs"),
    ],
)
async def test_a_refused_creation_leaves_nothing_behind(
    pool: Any, fields: dict[str, Any], expected: str
) -> None:
    await create(pool, callerids=["442079460000"])
    with pytest.raises(RefusedError, match=expected):
        await create(pool, refill_micros=1, account_number="1000000001", **fields)
    assert 1 == len(await customers.list_accounts(pool))
    assert 1 == len(await callerids.list_callerids(pool))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"account_number": "12345"}, "account_number"),
        ({"account_number": "12345678901234567"}, "account_number"),
        ({"account_number": "10000000０1"}, "account_number"),
        ({"currency": "euro"}, "currency"),
        ({"simultaneous_access": -1}, "simultaneous_access"),
        ({"simultaneous_access": 2**31}, "simultaneous_access"),
        ({"credit_limit_micros": 1}, "credit_limit"),
        ({"language": "english please"}, "language"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"expiry_mode": ExpiryMode.AT_DATE}, "expiry_date"),
        ({"expiry_mode": ExpiryMode.AFTER_CREATION}, "expiry_days"),
        ({"expiry_days": 3}, "expiry_days"),
        ({"expiry_mode": ExpiryMode.AFTER_FIRST_USE, "expiry_days": 0}, "expiry_days"),
        ({"restricted_numbers": ["44*"]}, "restriction"),
        ({"restriction": Restriction.BLACKLIST, "restricted_numbers": ["x"]}, "restricted_numbers"),
        ({"callerids": ["anonymous"]}, "callerids"),
    ],
)
def test_a_bad_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        new_account(**{"currency": "EUR", **fields})
    assert field == caught.value.field
    assert str(fields.get("account_number", "-----")) not in str(caught.value)


async def test_an_unknown_number_is_masked_in_the_error(pool: Any) -> None:
    told = r"^no customer has account number 100\*{5}01; an id is written id:12$"
    with pytest.raises(NotFoundError, match=told):
        await customers.find_by_number(pool, "1000000001")


async def test_accounts_are_listed_by_filter_and_page(pool: Any) -> None:
    await groups.create_group(pool, "offices")
    first = await create(pool, group="offices")
    second = await create(pool, callerids=["442079460000"])
    third = await create(pool, status=AccountStatus.NEW)

    async def ids(**filters: Any) -> list[int]:
        return [account.id for account in await customers.list_accounts(pool, **filters)]

    assert [first.id, second.id, third.id] == await ids()
    assert [first.id] == await ids(group="offices")
    assert [second.id] == await ids(callerid="442079460000")
    assert [third.id] == await ids(status=AccountStatus.NEW)
    assert [] == await ids(plan="standard")
    assert [second.id] == await ids(after_id=first.id, limit=1)


async def test_locking_tells_whether_it_changed_anything(pool: Any) -> None:
    account = await create(pool)
    _, changes = await update_account(pool, account.id, {"locked": True}, EDITOR)
    assert [("locked", "no", "yes")] == [(each.field, each.old, each.new) for each in changes]
    _, changes = await update_account(pool, account.id, {"locked": True}, EDITOR)
    assert [] == changes
    assert (await customers.find_by_id(pool, account.id)).locked


async def test_a_callerid_belongs_to_one_account_and_can_be_switched_off(pool: Any) -> None:
    account, other = await create(pool), await create(pool)

    async def add(owner: Account, number: str) -> str:
        return await callerids.add_callerid(pool, owner.id, number, EDITOR, max_callerids=2)

    assert "442079460000" == await add(account, " +442079460000 ")
    with pytest.raises(RefusedError, match="belongs to a customer already"):
        await add(other, "442079460000")
    await callerids.switch_callerid(pool, "442079460000", False, EDITOR)
    (listed,) = await callerids.list_callerids(pool, account.id)
    assert ("442079460000", False) == (listed.number, listed.active)
    await callerids.remove_callerid(pool, "+442079460000", EDITOR)
    assert "442079460000" == await add(other, "442079460000")
    with pytest.raises(NotFoundError, match="no customer has CallerID 111"):
        await callerids.remove_callerid(pool, "111", EDITOR)
    with pytest.raises(InvalidFieldError, match="3 to 15 digits"):
        await add(account, "anonymous")


async def test_callerids_added_at_once_do_not_exceed_the_limit(pool: Any) -> None:
    account = await create(pool)

    async def add(number: str) -> str:
        return await callerids.add_callerid(pool, account.id, number, EDITOR, max_callerids=1)

    async with pool.acquire() as first:
        async with first.transaction():
            await first.execute(statement("accounts/lock_row"), account.id)
            await replace_callerids(first, account.id, (), ["441"], max_callerids=1)
            second = asyncio.create_task(add("442"))
            # It waits for the first to end; if it did not, it would see room and be done by now.
            await asyncio.wait([second], timeout=0.5)
        with pytest.raises(RefusedError, match="a customer has at most 1 CallerIDs"):
            await second
    assert ["441"] == [each.number for each in await callerids.list_callerids(pool, account.id)]


@pytest.mark.parametrize("owner", list(RuleOwner))
async def test_rules_need_a_meaning_and_are_removed_all_or_none(
    pool: Any, owner: RuleOwner
) -> None:
    account = await create(pool)
    group = await groups.create_group(pool, "offices")
    owner_id = account.id if owner is RuleOwner.ACCOUNT else group.id

    async def stored() -> tuple[Restriction, tuple[str, ...]]:
        if owner is RuleOwner.ACCOUNT:
            found: Any = await customers.find_by_id(pool, account.id)
        else:
            found = await groups.find_group(pool, "offices")
        return found.restriction, found.restricted_numbers

    async def restrict(*rules: str, mode: Restriction | None = None) -> list[str]:
        current, _ = await stored()
        return await restrictions.restrict(
            pool, owner, owner_id, rules, current=current, mode=mode, editor=EDITOR
        )

    with pytest.raises(RefusedError, match="blacklist or a whitelist"):
        await restrict("4420*")
    assert ["4420*", "_33X."] == await restrict("4420*", "_33x.", mode=Restriction.WHITELIST)
    assert ["49*"] == await restrict("4420*", "49*")
    assert (Restriction.WHITELIST, ("4420*", "49*", "_33X.")) == await stored()
    with pytest.raises(InvalidFieldError, match="is no rule"):
        await restrict("1*", "no rule")
    with pytest.raises(NotFoundError, match=f"the {owner} has no rule 50"):
        await restrictions.remove_rules(pool, owner, owner_id, ["4420*", "50*"], editor=EDITOR)
    assert (Restriction.WHITELIST, ("4420*", "49*", "_33X.")) == await stored()
    await restrictions.remove_rules(pool, owner, owner_id, ["4420*", "_33x."], editor=EDITOR)
    assert (Restriction.WHITELIST, ("49*",)) == await stored()
    await restrictions.lift(pool, owner, owner_id, editor=EDITOR)
    assert (Restriction.NONE, ()) == await stored()


async def test_groups_are_created_once_and_count_their_accounts(pool: Any) -> None:
    created = await groups.create_group(
        pool,
        "offices",
        may_call=False,
        restriction=Restriction.WHITELIST,
        restricted_numbers=["33*"],
    )
    await create(pool, group="offices")
    (listed,) = await groups.list_groups(pool)
    assert (False, Restriction.WHITELIST, ("33*",), 0) == (
        created.may_call,
        created.restriction,
        created.restricted_numbers,
        created.accounts,
    )
    assert 1 == listed.accounts
    with pytest.raises(RefusedError, match="a group offices exists already"):
        await groups.create_group(pool, "offices")
    with pytest.raises(InvalidFieldError, match="blacklist or whitelist"):
        await groups.create_group(pool, "other", restricted_numbers=["33*"])


async def test_a_group_is_named_as_all_else_and_those_of_former_releases_stay(pool: Any) -> None:
    for name in (" ", "x" * 64, "two words", "tab\t", "-offices"):
        with pytest.raises(InvalidFieldError, match="name: must be letters, digits"):
            await groups.create_group(pool, name)
    await pool.execute("INSERT INTO account_group (name) VALUES ('two words')")
    await create(pool, group="two words")
    changed = await groups.update_group(pool, "two words", may_call=False, editor=EDITOR)
    assert (1, False) == (changed.accounts, changed.may_call)


async def test_texts_that_stay_have_no_control_characters_and_only_notes_have_lines(
    pool: Any,
) -> None:
    for text in ("a\nb", "a\x07", "a\rb", "x" * 201):
        with pytest.raises(InvalidFieldError, match=r"^description: must"):
            await campaigns.create_campaign(pool, "spring", text)
    account = await create(pool)
    for text in ("a\x07", "a\rb", "a\0b", " \r\n"):
        with pytest.raises(InvalidFieldError, match=r"^note: must"):
            await notes.add_note(pool, account.id, text, author="test", at=EDITOR.at)
    await notes.add_note(pool, account.id, "two\r\nlines\t👩‍👧 ", author="test", at=EDITOR.at)
    assert ["two\nlines\t👩‍👧"] == [each.note for each in await notes.list_notes(pool, account.id)]


async def test_an_account_that_was_given_away_meanwhile_is_not_changed(pool: Any) -> None:
    await groups.create_group(pool, "elsewhere")
    account = await create(pool)
    seen: list[str | None] = []

    def in_scope(found: Account) -> None:
        seen.append(found.group)
        if found.group is not None:
            raise NotFoundError("no customer has this id")

    async with pool.acquire() as db, db.transaction():
        await db.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", account.id)
        change = asyncio.create_task(
            update_with_phones(
                pool, account.id, {"city": "Rome"}, EDITOR, PhonesSettings(),
                max_callerids=5, in_scope=in_scope,
            )
        )  # fmt: skip
        await until_waiting_for_a_lock(db, change)
        await db.execute(
            "UPDATE account SET group_id = (SELECT id FROM account_group WHERE name = 'elsewhere')"
            " WHERE id = $1",
            account.id,
        )
    with pytest.raises(NotFoundError):
        await change
    assert [None, "elsewhere"] == seen
    assert None is (await customers.find_by_id(pool, account.id)).city
