from collections.abc import Callable
from pathlib import Path

from command_line import Finished, daemon

Command = Callable[..., Finished]


def test_reports_are_tables_json_and_csv(shop: Command, env: dict[str, str], scripts: Path) -> None:
    with daemon(env, scripts) as port:
        shop("replay", "authorize.agi", "settle.agi", "--to", f"127.0.0.1:{port}")
    (row,) = shop("report", "margin", "--by", "destination", "--json").json
    assert {
        "prefix": "44",
        "destination": "United Kingdom",
        "minutes": "0.00",
        "revenue": "0.00",
        "cost": "0.00",
        "margin": "0.00",
        "margin_percent": None,
        "currency": "USD",
    } == row
    assert "trunk,dialled,answered,asr_percent,acd\ngw,1,0,0.00,\n" == (
        shop("report", "quality", "--by", "trunk", "--csv").out
    )
    assert "dialled" in shop("report", "traffic").out
    shop("campaign", "create", "spring")
    shop("customer", "update", "1000000001", "--campaign", "spring")
    (of_spring,) = shop("report", "traffic", "--by", "campaign", "--json").json
    assert ("spring", 1) == (of_spring["campaign"], of_spring["dialled"])
    assert "revenue" in shop("report", "revenue", "--by", "account").out


def test_a_time_that_ends_before_it_begins_is_refused(shop: Command) -> None:
    done = shop("report", "traffic", "--from", "2026-03-02", "--to", "2026-03-01")
    assert 2 == done.exit_code
    assert "--from must be before --to" in done.err
    both = shop("report", "traffic", "--csv", "--json")
    assert (2, True) == (both.exit_code, "not both" in both.err)
