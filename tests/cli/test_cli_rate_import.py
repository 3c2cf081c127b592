"""Operators' rate sheets, through the real command."""

import json
from collections.abc import Callable
from pathlib import Path

from command_line import Finished

Command = Callable[..., Finished]
SHEETS = Path(__file__).parents[1] / "rating_sheets"
EVERY_COLUMN = SHEETS.parents[1] / "config/rates-every-column.csv"
OPTIONS = {
    "02": ("--dates", "dmy", "--timezone", "Europe/Berlin", "--currency", "EUR"),
    "08": ("--timezone", "Europe/Madrid"),
    "10": ("--dates", "mdy", "--timezone", "America/New_York"),
    "11": ("--currency", "EUR"),
    "13": (
        "--columns",
        "Where=destination, From Digits=prefix,What You Pay=rate,Per Call=connection_fee,"
        "step=increments",
    ),
    "14": ("--skip-lines", "37", "--dates", "dmy"),
    "15": ("--dates", "dmy", "--timezone", "Europe/Berlin", "--currency", "EUR"),
    "16": ("--currency", "EUR"),
    "17": ("--dates", "dmy"),
}
HEADER = "prefix,destination,price_per_minute,initial,increment\n"


def versions(command: Command, card: str) -> list[tuple[int, bool]]:
    listed = command("rates", "list", card, "--json").json
    return [(each["version"], each["active"]) for each in listed]


def exported(command: Command, card: str, *options: str) -> str:
    done = command("rates", "export", "--card", card, *options)
    assert 0 == done.exit_code, done.err
    return done.out


def test_each_good_sheet_is_stored_and_comes_back_from_its_export(
    agi_server: Command, tmp_path: Path
) -> None:
    sheets = sorted(path for path in (SHEETS / "good").iterdir() if path.suffix != ".json")
    assert 19 == len(sheets)
    for path in sheets:
        golden = json.loads(path.with_suffix(".json").read_text())
        card, options = f"card{path.name[:2]}", OPTIONS.get(path.name[:2], ())
        done = agi_server("rates", "import", str(path), "--card", card, "--json", *options).json
        assert golden["notes"] == done["notes"], path.name
        assert len(golden["rates"]) == done["stored"]["rates"], path.name
        sheet = exported(agi_server, card, "--version", "1")
        (tmp_path / "again.csv").write_text(sheet)
        agi_server("rates", "activate", card)
        again = agi_server("rates", "import", "again.csv", "--card", card, "--json").json
        assert (0, 0) == (again["diff"]["up"], again["diff"]["down"]), path.name
        assert done["stored"]["rules"] == again["stored"]["rules"], path.name
        assert sheet == exported(agi_server, card, "--version", "2"), path.name
    every = agi_server("rates", "import", str(EVERY_COLUMN), "--card", "every", "--json").json
    assert (10, 7) == (every["stored"]["rates"], every["diff"]["new"])


def test_each_broken_sheet_is_refused_with_its_errors_and_leaves_nothing(
    agi_server: Command,
) -> None:
    sheets = sorted(path for path in (SHEETS / "broken").iterdir() if path.suffix != ".txt")
    assert 60 <= len(sheets)
    for path in sheets:
        expected = path.with_suffix(".txt").read_text().splitlines()
        done = agi_server("rates", "import", str(path), "--card", "new", "--activate")
        told = [line.removeprefix(f"{path}:") for line in done.err.splitlines()]
        shown = [error.removeprefix("line ").replace(",", ":", 1) for error in expected]
        assert (1, "") == (done.exit_code, done.out), path.name
        assert len(shown) + 1 == len(told), path.name
        for error, line in zip(expected, told, strict=False):
            where, _, message = error.partition(": ")
            number, _, column = where.removeprefix("line ").partition(", ")
            assert f"{number}: " + (f"{column}: " if column else "") + message == line
    assert [] == agi_server("rates", "list", "--json").json


def test_an_a2billing_export_brings_its_rules_which_later_versions_keep(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "peer.csv").write_text(
        "dialprefix,rateinitial,initblock,billingblock\n44,1,30,20\n"
    )
    command = ("rates", "import", "peer.csv", "--card", "peer", "--format", "a2billing")
    done = shop(*command, "--activate")
    assert "changed rule: further increments count from the start of the call\n" in done.out
    assert "changed rule: a call keeps the price of its first second\n" in done.out
    (tmp_path / "next.csv").write_text(HEADER + "44,UK,1.1,30,20\n")
    rules = {"increments_from_zero": True, "price_by_start": True}
    later = shop("rates", "import", "next.csv", "--card", "peer", "--json", "--dry-run").json
    assert (rules, 1) == (later["rules"], later["replaces"])
    asked = ("--increments-from-initial", "--rounding-decimals", "2", "--rounding-mode", "up")
    told = shop("rates", "import", "next.csv", "--card", "peer", "--dry-run", *asked).out
    for rule in (
        "further increments count from the end of the initial one",
        "prices have 2 decimals, not 6",
        "prices are rounded up, not half_up",
    ):
        assert f"changed rule: {rule}\n" in told
    own = shop("rates", "import", "next.csv", "--card", "peer", "--json", *asked).json["stored"]
    rounded = {"price_by_start": True, "rounding_decimals": 2, "rounding_mode": "up"}
    assert rounded == own["rules"]
    hint = shop("rates", "export", "--card", "peer").err
    assert "for another card: rates import --increments-from-zero --price-by-start\n" == hint


def test_what_a_sheet_does_not_say_is_declared(shop: Command, tmp_path: Path) -> None:
    def stored(sheet: str, *options: str) -> list[str]:
        (tmp_path / "odd.csv").write_text(sheet)
        done = shop("rates", "import", "odd.csv", "--card", "odd", "--activate", *options)
        assert 0 == done.exit_code, done.err
        return exported(shop, "odd").splitlines()[1:]

    assert ["44,UK,1.234,60,6,,,,,,"] == stored(
        "UK;44;1,234\n",
        *("--columns", "destination,prefix,price_per_minute"),
        *("--increments", "60/6", "--decimal", ","),
    )
    assert ["1201,NJ,0.01,6,6,,,,,,2026-02-01T05:00:00Z"] == stored(
        "Code,Name,Rate,Price,Interval,Date\n201,NJ,0.01,7,6/6,02/01/2026\n",
        *("--country-code", "1", "--dates", "mdy", "--timezone", "America/New_York"),
        *("--ignore", "Price"),
    )


def test_headings_a_sheet_has_of_its_own_are_declared_and_its_notes_told(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "own.csv").write_text(
        "Rate,Code\nBreakout Name,Digits Dialled,Cost\nUK Mobile,447,.011\n\nTotal: 1 row\n"
    )
    done = shop(
        *("rates", "import", "own.csv", "--card", "own", "--increments", "60/6", "--activate"),
        *("--columns", "Breakout Name=destination, Digits Dialled=prefix,Cost=rate"),
        *("--skip-lines", "1"),
    )
    assert (0, "note: line 5 is taken for a note: Total: 1 row") == (
        done.exit_code, done.err.splitlines()[0],
    )  # fmt: skip
    assert ["447,UK Mobile,0.011,60,6,,,,,,"] == exported(shop, "own").splitlines()[1:]
    bare = shop("rates", "import", "own.csv", "--card", "own", "--skip-lines", "1")
    assert "own.csv:2: prefix: no such column in the sheet: say which one it is" in bare.err
    assert "(--columns HEADING=prefix)" in bare.err


def test_a_date_of_unknown_order_names_the_option_that_declares_it(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "d.csv").write_text("Code,Rate,Increments,Effective\n44,1,1/1,01.02.2026\n")
    command = ("rates", "import", "d.csv", "--card", "retail", "--dry-run")
    assert "(--dates dmy or --dates mdy)" in shop(*command).err
    assert 0 == shop(*command, "--dates", "dmy").exit_code


def test_wrong_usage_is_exit_code_2_and_names_the_option(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(HEADER + "44,UK,1,1,1\n")
    for options, part in (
        (("--at", "2099-01-01"), "--activate"),
        (("--timezone", "Mars"), "'Mars' is no time zone"),
        (("--increments", "60/0"), "at least 1"),
        (("--increments", "often"), "'often' is not like 60/6"),
        (("--country-code", "x"), "'x' is not 1 to 7 digits"),
        (("--dates", "dym"), "--dates"),
        (("--decimal", ";"), "--decimal"),
        (("--format", "xml"), "--format"),
        (("--rounding-decimals", "7"), "--rounding-decimals"),
        (("--columns", "Where=destination,prefix"), "'prefix' is not like"),
        (("--columns", "=prefix"), "'=prefix' is not like"),
        (("--skip-lines", "-1"), "--skip-lines"),
    ):
        done = shop("rates", "import", "new.csv", "--card", "retail", *options)
        assert (2, True) == (done.exit_code, part in done.err), done.err
    assert [(1, True)] == versions(shop, "retail")


def test_a_worksheet_of_a_workbook_is_chosen_by_name(shop: Command) -> None:
    workbook = str(SHEETS / "good" / "07_workbook.xlsx")
    done = shop("rates", "import", workbook, "--card", "book", "--worksheet", "None such")
    assert 1 == done.exit_code
    assert "no worksheet 'None such'; there is: " in done.err


def test_a_version_comes_into_force_at_its_date_unless_cancelled(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(HEADER + "44,UK,0.09,1,1\n")
    command = ("rates", "import", "new.csv", "--card", "retail")
    done = shop(*command, "--activate", "--at", "2099-01-01T00:00:00+02:00")
    assert "retail version 2, 1 rates, active from 2098-12-31T22:00:00.000Z" in done.out
    (later, now) = shop("rates", "list", "--json").json
    assert (False, "2098-12-31T22:00:00.000Z", None) == (
        later["active"],
        later["in_force_from"],
        later["in_force_until"],
    )
    assert (True, "2098-12-31T22:00:00.000Z") == (now["active"], now["in_force_until"])
    for at, price in (("2098-12-31", "0.06"), ("2099-01-01", "0.09")):
        quote = shop("rates", "quote", "441", "--at", at, "--json").json
        assert price == quote["price_per_minute"]
    in_force = shop("rates", "activate", "retail", "--version", "1", "--at", "2098-01-01")
    assert (1, "agi-server: rate card retail version 1 is in force already\n") == (
        in_force.exit_code,
        in_force.err,
    )
    assert "not active" in shop("rates", "cancel", "retail", "--version", "2").out
    assert 1 == shop("rates", "cancel", "retail", "--version", "2").exit_code
    assert 1 == shop("rates", "cancel", "retail", "--version", "1").exit_code
    assert None is shop("rates", "list", "--json").json[1]["in_force_until"]
    moved = shop("rates", "activate", "retail", "--version", "2", "--at", "2098-01-01", "--json")
    assert "2098-01-01T00:00:00.000Z" == moved.json["in_force_from"]


def test_a_beginning_before_that_of_the_version_in_force_is_refused(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text(HEADER + "44,UK,0.09,1,1\n")
    (listed,) = shop("rates", "list", "--json").json
    message = f"has no effect before {listed['in_force_from']}, when retail version 1 came into"
    for more in ((), ("--dry-run",)):
        command = ("rates", "import", "new.csv", "--card", "retail", "--activate", *more)
        done = shop(*command, "--at", "2020-01-01")
        assert (2, "", f"agi-server: at: {message} force\n") == (
            done.exit_code, done.out, done.err,
        )  # fmt: skip
    assert [(1, True)] == versions(shop, "retail")
    shop("rates", "import", "new.csv", "--card", "retail")
    refused = shop("rates", "activate", "retail", "--version", "2", "--at", "2020-01-01")
    assert (2, f"agi-server: at: {message} force\n") == (refused.exit_code, refused.err)
    earlier = shop("rates", "activate", "retail", "--version", "1", "--at", "2020-01-01", "--json")
    assert "2020-01-01T00:00:00.000Z" == earlier.json["in_force_from"]
    past = ("--activate", "--at", "2021-01-01")
    done = shop("rates", "import", "new.csv", "--card", "retail", *past)
    assert "compared with version 1" in done.out
    assert [(2, True), (1, False)] == versions(shop, "retail")
    back = shop("rates", "activate", "retail", "--version", "2", "--at", "2019-01-01")
    assert (2, True) == (back.exit_code, "when retail version 1 came into force" in back.err)


def test_only_the_largest_changes_are_shown_and_all_are_counted(
    shop: Command, tmp_path: Path
) -> None:
    lines = [f"{prefix},x,0.01,1,1\n" for prefix in range(30_000, 36_000)]
    (tmp_path / "many.csv").write_text(HEADER + "44,UK,0.12,1,1\n" + "".join(lines))
    done = shop("rates", "import", "many.csv", "--card", "retail", "--changes", "2", "--activate")
    assert [
        "6000 new, 1 up, 0 down, 1 removed, 0 other terms, 0 unchanged",
        "change  prefix  destination  old       new",
        "up      44      UK           0.06 1/1  0.12 1/1",
        "new     30000   x                      0.01 1/1",
        "… and 6000 more changes (--changes 6002 shows all)",
    ] == done.out.splitlines()[1:6]
    (tmp_path / "fee.csv").write_text(
        (tmp_path / "many.csv").read_text().replace("30000,x,0.01,1,1", "30000,x,0.01,1,2")
    )
    again = shop("rates", "import", "fee.csv", "--card", "retail", "--json").json["diff"]
    assert (1, 6_000, 0) == (again["other_terms"], again["unchanged"], again["up"])
    assert ["0.01 1/1", "0.01 1/2"] == [again["changes"][0][side] for side in ("old", "new")]


def test_a_sheet_for_the_future_leaves_what_is_in_force_until_its_dates(
    shop: Command, tmp_path: Path
) -> None:
    dated = HEADER.replace("\n", ",effective_from\n")
    (tmp_path / "ahead.csv").write_text(
        dated
        + "44,UK,0.09,1,1,2099-01-01\n"
        + "4490,United Kingdom premium,1.50,60,60,2099-01-01\n"
        + "33,France,0.02,1,1,2099-01-01\n33,France,0.03,1,1,2099-02-01T08:00:00Z\n"
        + "49,Germany,0.01,1,1,2001-01-01\n49,Germany,0.02,1,1,2002-01-01\n"
    )
    done = shop("rates", "import", "ahead.csv", "--card", "retail", "--activate")
    assert [
        "2 new, 2 up, 0 down, 0 removed, 0 other terms, 1 unchanged",
        "change  prefix  destination  from                  old       new",
        "up      44      UK           2099-01-01            0.06 1/1  0.09 1/1",
        "up      33      France       2099-02-01T08:00:00Z  0.02 1/1  0.03 1/1",
        "new     33      France       2099-01-01                      0.02 1/1",
        "new     49      Germany                                      0.02 1/1",
    ] == done.out.splitlines()[1:7]
    for at, prices in (("2098-12-31", ("0.06", "1.50")), ("2099-01-01", ("0.09", "1.50"))):
        quotes = [shop("rates", "quote", to, "--at", at, "--json").json for to in ("441", "44901")]
        assert prices == tuple(quote["price_per_minute"] for quote in quotes)
    again = shop("rates", "import", "ahead.csv", "--card", "retail")
    assert "0 new, 0 up, 0 down, 0 removed, 0 other terms, 4 unchanged" in again.out
    assert "version 2" in again.out.splitlines()[-1]


def test_every_date_of_a_sheet_of_changes_is_shown(shop: Command, tmp_path: Path) -> None:
    (tmp_path / "changes.csv").write_text(
        "Code,Rate,Increments,Effective\n44,0.09,1/1,2099-01-01\n44,0.08,1/1,2099-02-01\n"
    )
    changes = ("rates", "import", "changes.csv", "--card", "retail", "--changes-only", "--json")
    diff = shop(*changes, "--activate").json["diff"]
    assert (0, 1, 1, 0, 1) == tuple(
        diff[kind] for kind in ("new", "up", "down", "removed", "unchanged")
    )
    assert [("up", "0.06 1/1", "0.09 1/1", "2099-01-01"),
            ("down", "0.09 1/1", "0.08 1/1", "2099-02-01")] == [
        (each["change"], each["old"], each["new"], each["from"][:10]) for each in diff["changes"]
    ]  # fmt: skip
    ends = "Code,Rate,Increments,Effective,Valid until\n44,0.06,1/1,2001-01-01,2098-12-31\n"
    (tmp_path / "ends.csv").write_text(ends)
    (tmp_path / "block.csv").write_text(
        "Code,Rate,Increments,Status,Effective\n44,,1/1,blocked,2098-12-10\n"
    )
    assert 0 == shop("rates", "import", "ends.csv", "--card", "retail", "--activate").exit_code
    changes = ("rates", "import", "block.csv", "--card", "retail", "--changes-only", "--json")
    diff = shop(*changes, "--activate").json["diff"]
    assert [("other", "blocked", "2098-12-10"), ("new", "blocked", "2099-01-01")] == [
        (each["change"], each["new"], each["from"][:10]) for each in diff["changes"]
    ]
    quote = shop("rates", "quote", "441", "--at", "2099-02-01", "--json")
    assert "blocked" in quote.out + quote.err


def test_the_diff_shows_the_prices_within_hours_and_stages(shop: Command, tmp_path: Path) -> None:
    header = HEADER.replace("\n", ",stages,hours,action\n")
    day = "44,UK,0.60,1,1,60@0.10/1,,\n"
    (tmp_path / "old.csv").write_text(header + day + "44,UK,0.06,1,1,,20:00-22:00,\n")
    (tmp_path / "new.csv").write_text(
        header
        + day
        + "44,UK,0.90,60,6,,20:00-22:00,\n"
        + "33,France,0.02,1,1,,,\n33,France,,,,,Sat-Sun 08:00-10:00,block\n"
    )
    done = shop("rates", "import", "old.csv", "--card", "hours", "--currency", "USD", "--activate")
    staged = "0.60 1/1, stages 60@0.10/1+0.00, Mon-Sun 20:00-22:00"
    assert f"{staged} 0.06 1/1" in done.out
    diff = shop("rates", "import", "new.csv", "--card", "hours", "--json").json["diff"]
    assert [
        ("up", f"{staged} 0.06 1/1", f"{staged} 0.90 60/6"),
        ("new", None, "0.02 1/1, blocked Sat-Sun 08:00-10:00"),
    ] == [(each["change"], each["old"], each["new"]) for each in diff["changes"]]


def test_numbers_left_without_a_rate_for_a_time_are_warned_of(
    shop: Command, tmp_path: Path
) -> None:
    (tmp_path / "split.csv").write_text(
        "Code,Rate,Increments,Effective\n44,0.06,1/1,2099-01-02\n4420,0.09,1/1,2001-01-01\n"
        "4490,1.50,60/60,2001-01-01\n"
    )
    split = ("rates", "import", "split.csv", "--card")
    assert "" == shop(*split, "retail", "--activate").err
    (tmp_path / "merged.csv").write_text(
        "Code,Rate,Increments,Effective,Valid until\n4,0.06,1/1,2099-01-01,\n"
        "44,0.06,1/1,2001-01-01,2050-12-31\n"
    )
    merge = ("rates", "import", "merged.csv", "--card", "retail")
    done = shop(*merge, "--dry-run")
    assert "warning: 44 has no rate from 2051-01-01 until 2099-01-01\n" in done.err
    diff = shop(*merge, "--json", "--changes", "1").json["diff"]
    assert 1 == len(diff["gaps"]) < diff["without_rate"]
    assert "warning: 2 more have none for a time" in shop(*merge, "--changes", "1").err


def test_an_export_is_written_to_a_file_and_an_unknown_version_is_refused(
    shop: Command, tmp_path: Path
) -> None:
    assert 0 == shop("rates", "export", "--card", "retail", "-o", "out.csv").exit_code
    assert exported(shop, "retail") == (tmp_path / "out.csv").read_text()
    for arguments in (("--card", "none"), ("--card", "retail", "--version", "9")):
        refused = shop("rates", "export", *arguments, "-o", "none.csv")
        assert (1, 1) == (refused.exit_code, len(refused.err.splitlines()))
    assert not (tmp_path / "none.csv").exists()
