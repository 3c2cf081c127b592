"""What the API says to requests that are not as its document has them, or come twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from web_client import Client, Web


async def test_a_customer_is_created_once_for_a_key(web: Web, admin: Client) -> None:
    async def create(status: int = 201, **new: Any) -> Any:
        key = {"Idempotency-Key": "order-12"}
        return await admin.ask("POST", "/customers", status, json=new, headers=key)

    await create(422, plan="nope")
    new = {"last_name": "Smith", "create_sip": True, "web_password": "correct horse"}
    first, again, *more = [await create(**new) for _ in range(2)] + await asyncio.gather(
        create(**new), create(**new)
    )
    assert again == more[0] == more[1]
    assert (first["customer"]["id"], []) == (again["customer"]["id"], again["phones"])
    assert "*" in again["customer"]["account_number"]
    assert 1 == await web.business.pool.fetchval("SELECT count(*) FROM account")
    other = await create(409, last_name="Jones")
    assert "this Idempotency-Key was used for another request" == other["detail"]
    stored = await web.business.pool.fetchval("SELECT answer::text FROM answered_request")
    assert first["customer"]["account_number"] not in stored


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    web: Web, admin: Client
) -> None:
    async def piece_by_piece(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 65_536

    json_type = {"Content-Type": "application/json"}
    told = "the body is too large: at most 1 MiB"
    for content in (b" " * (1024 * 1024 + 1), piece_by_piece(17)):
        refused = await admin.ask("POST", "/customers", 413, content=content, headers=json_type)
        assert told == refused["detail"]
    just = b"{}".ljust(1024 * 1024)
    await admin.ask("POST", "/customers", 201, content=just, headers=json_type)
    sheet = ("PUT", "/rate-cards/retail/sheet?dry_run=true")
    assert (await admin.ask(*sheet, content=piece_by_piece(17)))["errors"]
    host, port = web.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PUT /api/v1/rate-cards/retail/sheet HTTP/1.1\r\nHost: x\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % (64 * 1024 * 1024 + 1))
    assert b"413" in await reader.readline()
    writer.close()


async def test_the_document_says_where_a_body_may_be_refused(admin: Client) -> None:
    paths = (await admin.ask("GET", "/openapi.json"))["paths"]
    told = {
        (path, method): {"413", "415"} & operation["responses"].keys()
        for path, method in (("/customers", "post"), ("/customers", "get"),
                             ("/rate-cards/{card}/sheet", "put"))
        for operation in [paths[path][method]]
    }  # fmt: skip
    assert [{"413", "415"}, set(), {"413"}] == list(told.values())


async def test_errors_of_every_kind_are_problems(web: Web, admin: Client) -> None:
    await admin.ask("GET", "/nothing", 404)
    await admin.ask("PUT", "/customers", 405)
    await admin.ask("GET", "/customers/99", 404)
    await admin.ask("GET", "/customers/x", 422)
    await admin.ask("GET", "/customers?after=x", 422)
    await admin.ask("GET", "/customers?search=%00", 422)
    json_type = {"Content-Type": "application/json"}
    broken = await admin.ask("POST", "/customers", 400, content="{x", headers=json_type)
    assert ["body"] == [each["field"] for each in broken["errors"]]
    assert broken["errors"][0]["message"].startswith("is no JSON: ")
    await admin.ask("POST", "/customers", 422, json={"plan": "nothing"})
    await admin.ask("POST", "/customers", 415, content="{}", headers={"Content-Type": "text/plain"})
    unknown = {"foo": "1", "plann": "x", "limit": "5"}
    refused = await admin.ask("GET", "/customers", 422, params=unknown)
    told = "is no parameter of this request"
    assert [{"field": each, "message": told} for each in ("foo", "plann")] == refused["errors"]
    account = await web.business.customer()
    changes = f"/customers/{account.id}/changes"
    refused = await admin.ask("GET", changes, 422, params={"field": "foo"})
    assert [{"field": "field", "message": "is no field of an account"}] == refused["errors"]
    assert [] == (await admin.ask("GET", changes, params={"field": "dids"}))["changes"]
