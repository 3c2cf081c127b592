"""DIDs by command: added, assigned, released, imported, where they ring, and what was changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Finished

Command = Callable[..., Finished]

NUMBER = "442079460000"


def ok(done: Finished) -> str:
    assert 0 == done.exit_code, done.err
    return done.out


def refusal(done: Finished) -> tuple[int, str]:
    return done.exit_code, done.err.removeprefix("agi-server: ").removesuffix("\n")


@pytest.fixture
def dids(shop: Command) -> Command:
    """Two customers, a DID group and one DID that is nobody's."""
    for number in ("1234567891", "1234567892"):
        ok(shop("customer", "create", "--account-number", number, "--plan", "standard"))
    ok(shop("did-group", "create", "london"))
    ok(shop("did", "add", f"+{NUMBER}", "--group", "london", "--plan", "standard"))
    return shop


def test_a_did_is_assigned_rings_at_its_destinations_and_is_released(dids: Command) -> None:
    ok(dids("did", "assign", NUMBER, "1234567891"))
    ok(dids("did", "destination", "add", NUMBER, "sip", "--priority", "2"))
    ok(dids("did", "destination", "add", NUMBER, "+33 123".replace(" ", "")))
    ok(dids("did", "destination", "add", NUMBER, "iax", "--priority", "1"))
    ok(dids("did", "destination", "disable", NUMBER, "2"))
    (shown,) = dids("did", "list", "--customer", "1234567891", "--json").json
    assert ("active", "london", "standard") == (shown["state"], shown["group"], shown["plan"])
    assert "1234567891" not in str(shown)
    assert [(1, "iax", True), (2, "sip", False), (3, "33123", True)] == [
        (each["priority"], each["destination"], each["active"]) for each in shown["destinations"]
    ]
    taken = dids("did", "assign", NUMBER, "1234567892")
    assert (1, f"DID {NUMBER} belongs to a customer: release it first") == refusal(taken)
    assert (1, f"DID {NUMBER} belongs to a customer: release it first") == refusal(
        dids("did", "delete", NUMBER)
    )
    ok(dids("did", "release", NUMBER))
    shown = dids("did", "show", NUMBER, "--json").json
    assert ("unassigned", []) == (shown["state"], shown["destinations"])
    history = dids("did", "history", NUMBER, "--json").json
    assert ("account", None) == (history[0]["field"], history[0]["new"])
    assert history[0]["old"].startswith("id:")
    owners = dids("customer", "history", "1234567891", "--field", "dids", "--json").json
    assert [("dids", NUMBER, None), ("dids", None, NUMBER)] == [
        (each["field"], each["old"], each["new"]) for each in owners
    ]


def test_what_a_did_cannot_be_is_refused_by_name_and_changes_nothing(dids: Command) -> None:
    before = dids("did", "list", "--json").json
    for words, expected in (
        (["add", "twelve"], "number: must be 3 to 15 digits"),
        (["add", NUMBER], f"DID {NUMBER} exists already"),
        (["add", "4412345", "--group", "none"], "there is no DID group none"),
        (["add", "4412345", "--plan", "none"], "there is no call plan none"),
        (["add", "4412345", "--destination", "sip"], "destination: needs a customer"),
        (["add", "4412345", "--customer", "999999"], "no customer has account number"),
        (["update", NUMBER, "--plan", "standard", "--clear", "plan"], "plan: given and cleared"),
        (
            ["update", NUMBER, "--valid-from", "2027-01-01", "--valid-until", "2026-01-01"],
            "valid_until: must be after valid_from",
        ),
        (["assign", "4411111", "1234567891"], "there is no DID 4411111"),
        (["release", NUMBER], f"DID {NUMBER} belongs to nobody"),
        (["destination", "add", NUMBER, "sip"], f"DID {NUMBER} belongs to nobody: assign it first"),
        (["destination", "add", NUMBER, "sip&x"], "destination: must be sip, iax or a number"),
        (["destination", "remove", NUMBER, "1"], f"DID {NUMBER} has no destination 1"),
        (["list", "--search", "%"], "must be digits"),
    ):
        done = dids("did", *words)
        assert done.exit_code in (1, 2), words
        assert expected in done.err, words
    assert before == dids("did", "list", "--json").json
    assert "DIDs are in the DID group london" in dids("did-group", "delete", "london").err


def test_a_did_is_shown_with_its_destinations_in_words(dids: Command) -> None:
    ok(dids("did", "assign", NUMBER, "1234567891"))
    for destination in ("sip", "33123456789"):
        ok(dids("did", "destination", "add", NUMBER, destination))
    ok(dids("did", "destination", "disable", NUMBER, "2"))
    told = [" ".join(line.split()) for line in dids("did", "show", NUMBER).out.splitlines()]
    assert "destinations sip, 33123456789 (off)" in told


def test_a_did_has_no_more_than_five_destinations_each_at_its_own_priority(dids: Command) -> None:
    ok(dids("did", "assign", NUMBER, "1234567891"))
    for number in range(5):
        ok(dids("did", "destination", "add", NUMBER, f"3312345678{number}"))
    full = dids("did", "destination", "add", NUMBER, "sip")
    assert (1, f"DID {NUMBER} has 5 destinations already") == refusal(full)
    ok(dids("did", "destination", "remove", NUMBER, "5"))
    twice = dids("did", "destination", "add", NUMBER, "sip", "--priority", "4")
    assert (1, f"priority: DID {NUMBER} has a destination 4") == refusal(twice)
    itself = dids("did", "destination", "add", NUMBER, NUMBER)
    assert "destination: is the DID itself" in itself.err


def test_a_file_of_dids_is_imported_whole_or_not_at_all(dids: Command, tmp_path: Path) -> None:
    file = tmp_path / "dids.csv"
    file.write_text(
        "number,customer,valid_until,destinations\n"
        "+4420111,1234567891,2030-01-01T00:00:00Z,sip 33123456789\n"
        "4420112,,,\n"
        f"{NUMBER},,,\n"
        "4420113,999999,,\n"
        "4420114,,soon,\n"
    )
    done = dids("did", "import", str(file))
    assert 1 == done.exit_code
    assert [
        f"{file}:4: number: DID {NUMBER} exists already",
        f"{file}:5: no customer has account number 9*****; an id is written id:12",
        f"{file}:6: valid_until: must be a time like 2027-03-01T12:00:00Z",
        "agi-server: nothing was added",
    ] == done.err.splitlines()
    assert [NUMBER] == [each["number"] for each in dids("did", "list", "--json").json]
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    assert "2 DIDs added\n" == ok(dids("did", "import", str(file)))
    found = dids("did", "list", "--search", "+4420", "--json").json
    assert [("4420111", "active"), ("4420112", "unassigned"), (NUMBER, "unassigned")] == [
        (each["number"], each["state"]) for each in found
    ]
    free = dids("did", "list", "--unassigned", "--json").json
    assert ["4420112", NUMBER] == [each["number"] for each in free]


def test_all_that_is_wrong_with_a_file_of_dids_is_told_by_line(
    dids: Command, tmp_path: Path
) -> None:
    file = tmp_path / "dids.csv"
    file.write_text(
        "number,customer,group,plan,valid_from,valid_until,destinations\n"
        "12,1234567891,none,none,,,\n"
        "4420111,1234567891,london,standard,2027-01-01,2026-01-01,sip&x\n"
        "+4420111,id:999999,,,,,sip\n"
        ",,,,,,\n"
        "4420112,,,,,,1111 2222 3333 4444 5555 6666\n"
        "4420113,,\n"
    )
    expected = [
        f"{file}:2: group: there is no DID group none",
        f"{file}:2: number: must be 3 to 15 digits with the country code, + or 00",
        f"{file}:2: plan: there is no call plan none",
        f"{file}:3: destination: must be sip, iax or a number of 3 to 15 digits"
        " with its country code",
        f"{file}:3: valid_until: must be after valid_from",
        f"{file}:4: no customer has id 999999",
        f"{file}:4: number: DID 4420111 stands there twice",
        f"{file}:6: destination: needs a customer, whose calls they are",
        f"{file}:6: destinations: at most 5 are possible",
        f"{file}:7: has not as many cells as the header",
    ]
    told = dids("did", "import", str(file)).err.splitlines()
    assert "agi-server: nothing was added" == told.pop()
    assert expected == sorted(told)
    assert [NUMBER] == [each["number"] for each in dids("did", "list", "--json").json]


def test_imported_dids_ring_and_are_audited_as_those_added_one_by_one(
    dids: Command, tmp_path: Path
) -> None:
    file = tmp_path / "dids.csv"
    file.write_text(
        "number,customer,group,plan,valid_from,valid_until,destinations\n"
        "4420111,id:1,london,standard,2027-01-01,2030-01-01T00:00:00+02:00,sip 0033123456789\n"
    )
    assert "1 DIDs added\n" == ok(dids("did", "import", str(file)))
    ok(
        dids(
            "did", "add", "4420222", "--customer", "id:1", "--group", "london", "--plan",
            "standard", "--valid-from", "2027-01-01", "--valid-until", "2029-12-31T22:00:00Z",
            "--destination", "sip", "--destination", "33123456789",
        )
    )  # fmt: skip
    imported, added = (
        dids("did", "show", number, "--json").json for number in ("4420111", "4420222")
    )
    assert added | {"number": "4420111", "created_at": imported["created_at"]} == imported

    def audit(number: str) -> list[tuple[object, ...]]:
        rows = dids("did", "history", number, "--json").json
        return [(row["field"], row["old"], row["new"]) for row in rows if row["field"] != "number"]

    assert audit("4420222") == audit("4420111")
    assert ("destination 2", None, "33123456789") in audit("4420111")
    owners = dids("customer", "history", "id:1", "--field", "dids", "--json").json
    assert [("dids", None, "4420222"), ("dids", None, "4420111")] == [
        (each["field"], each["old"], each["new"]) for each in owners
    ]


def test_a_deleted_customer_has_no_dids_any_more(dids: Command) -> None:
    ok(dids("did", "assign", NUMBER, "1234567891"))
    ok(dids("customer", "delete", "1234567891", "--yes"))
    assert "unassigned" == dids("did", "show", NUMBER, "--json").json["state"]
    ok(dids("did", "delete", NUMBER))
    assert [] == dids("did", "list", "--json").json
    assert "number" == dids("did", "history", NUMBER, "--json").json[0]["field"]
