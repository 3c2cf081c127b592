"""Many customers at once: all that could be wrong is known before anything that takes long."""

import pytest

from agi_server.accounts.bulk import CreatedCustomer, CustomerFile, create_accounts
from agi_server.accounts.csv_lines import BulkRefusedError, CsvLine
from agi_server.accounts.customers import CreationRules
from agi_server.accounts.passwords import is_secret
from agi_server.settings import PhonesSettings
from support.business import Business


async def create(
    business: Business, *texts: dict[str, str], reached: list[int] | None = None
) -> list[CreatedCustomer]:
    return await create_accounts(
        business.pool,
        CustomerFile(
            lines=[CsvLine(line=line, texts=each) for line, each in enumerate(texts, start=2)],
            problems=[],
        ),
        CreationRules(number_length=10, max_callerids=5),
        phones=PhonesSettings(),
        texts={},
        currency="USD",
        generate_passwords=True,
        created_by="test",
        at=business.now(),
        reached=[].append if reached is None else reached.append,
    )


async def test_what_is_taken_is_told_before_any_password_is_hashed(business: Business) -> None:
    await create(business, {"callerids": "33111111111", "web_login": "anne"})
    reached: list[int] = []
    with pytest.raises(BulkRefusedError) as caught:
        await create(
            business,
            {"web_login": "anne"},
            {"callerids": "33111111111"},
            {"group": "nobody's"},
            {"callerids": "33222222222"},
            {"callerids": "33222222222"},
            {"plan": "nobody's"},
            {"email": "?"},
            reached=reached,
        )
    told = [(each.line, each.field) for each in caught.value.problems]
    expected = ["web_login", "callerids", "group", "", "callerids", "plan", "email"]
    assert [(2 + at, field) for at, field in enumerate(expected) if field] == told
    assert max(reached) <= 7
    assert 1 == await business.pool.fetchval("SELECT count(*) FROM account")


async def test_each_customer_has_the_own_password_and_progress_is_told_to_the_end(
    business: Business,
) -> None:
    reached: list[int] = []
    created = await create(business, *[{"last_name": f"No. {at}"} for at in range(6)],
                           reached=reached)  # fmt: skip
    rows = await business.pool.fetch(
        "SELECT last_name, web_password_hash FROM customer ORDER BY account_id"
    )
    assert [f"No. {at}" for at in range(6)] == [row["last_name"] for row in rows]
    for customer, row in zip(created, rows, strict=True):
        assert await is_secret(str(customer.password), row["web_password_hash"])
    assert list(range(1, 19)) == reached
