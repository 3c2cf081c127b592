"""Sheets of changes, and sheets that come a second time, through the real command."""

from collections.abc import Callable
from pathlib import Path

from command_line import Finished

Command = Callable[..., Finished]
CHANGES = "Code,Rate,Increments,Status,Effective\n"


def exported(command: Command, card: str) -> list[str]:
    return command("rates", "export", "--card", card).out.splitlines()[1:]


def test_a_sheet_of_changes_leaves_the_other_rates(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "changes.csv").write_text(
        "Code,Rate,Increments,Status\n4490,,,deleted\n33,0.02,60/6,new\n"
    )
    changes = ("rates", "import", "changes.csv", "--card", "retail", "--changes-only")
    done = shop(*changes, "--activate")
    assert "1 new, 0 up, 0 down, 1 removed, 0 other terms, 1 unchanged" in done.out
    assert "" == done.err
    assert ["33,,0.02,60,6,,,,,,", "44,United Kingdom,0.06,1,,,,,,,"] == exported(shop, "retail")
    whole = shop("rates", "import", "changes.csv", "--card", "retail", "--json", "--dry-run").json
    assert (1, 0, []) == (whole["diff"]["removed"], whole["diff"]["new"], whole["notes"])


def test_a_change_that_deletes_what_the_card_does_not_have_is_told_with_its_line(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "changes.csv").write_text(
        f"{CHANGES}4490,,,deleted,\n4491,,,deleted,\n33,0.02,60/6,new,2098-01-01\n"
        '33,,,deleted,2099-01-01\n"4492,4493",,,deleted,2099-01-01\n'
    )
    changes = ("rates", "import", "changes.csv", "--card", "retail", "--changes-only")
    told = [
        f"changes.csv:{line}: deletes {prefix}, which the card does not have"
        for line, prefix in ((3, "4491"), (6, "4492"), (6, "4493"))
    ]
    assert told == shop(*changes, "--json", "--dry-run").json["notes"]
    done = shop(*changes, "--activate")
    assert [f"note: {note}" for note in told] == done.err.splitlines()
    assert 0 == done.exit_code
    # By now 4490 is gone, too.
    again = shop(*changes, "--dry-run", "--json").json["notes"]
    assert ["changes.csv:2: deletes 4490, which the card does not have", *told] == again


def test_of_many_deletes_of_nothing_the_first_are_told(shop: Command, tmp_path: Path) -> None:
    rows = "".join(f"{prefix},,,deleted,\n" for prefix in range(3300, 3330))
    (tmp_path / "changes.csv").write_text(CHANGES + rows)
    done = shop("rates", "import", "changes.csv", "--card", "retail", "--changes-only")
    assert 21 == len(done.err.splitlines())
    assert "note: and so do 10 more, the last is changes.csv:31" == done.err.splitlines()[-1]


def test_the_same_file_read_otherwise_is_another_version(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "dates.csv").write_text("Code,Rate,Increments,Effective\n44,0.02,60/6,02/03/2026\n")
    command = ("rates", "import", "dates.csv", "--card", "retail")
    for order, version in (("dmy", 2), ("mdy", 3), ("dmy", 2)):
        assert version == shop(*command, "--dates", order, "--json").json["stored"]["version"]
    told = shop(*command, "--dates", "mdy").out
    assert "this file was imported before: no new version" in told.splitlines()


def test_the_same_file_after_its_dates_have_passed_makes_no_new_version(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "ahead.csv").write_text(
        "Code,Destination,Rate,Increments,Effective\n44,UK,0.09,1/1,2098-01-01\n"
        "4490,UK premium,1.20,60/60,2098-02-01\n"
    )
    command = ("rates", "import", "ahead.csv", "--card", "retail", "--activate")
    first = shop(*command, "--json").json
    # It keeps what is in force until then: the second time there is nothing to keep.
    assert (2, 4, True) == (
        first["stored"]["version"], first["stored"]["rates"], first["is_new_version"],
    )  # fmt: skip
    later = ("--at", "2098-03-01")
    again = shop(*command, *later, "--json").json
    assert (2, False) == (again["stored"]["version"], again["is_new_version"])
    told = shop(*command, *later)
    assert (0, "nothing changes: no new version") == (
        told.exit_code, told.out.splitlines()[-2],
    )  # fmt: skip
    assert ["2", "1"] == [
        str(each["version"]) for each in shop("rates", "list", "retail", "--json").json
    ]
    # Another file with the same rates is a version of its own, and so is other rounding.
    (tmp_path / "other.csv").write_text((tmp_path / "ahead.csv").read_text() + "\n")
    other = ("rates", "import", "other.csv", "--card", "retail", *later, "--activate", "--json")
    assert 3 == shop(*other).json["stored"]["version"]
    rounded = shop(*command, *later, "--rounding-decimals", "2", "--json").json
    assert (4, True) == (rounded["stored"]["version"], rounded["is_new_version"])
