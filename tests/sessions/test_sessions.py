"""The scripts of this folder, played against the daemon: what it says, and what it does.

A script is what Asterisk's console shows (agi_server/wire/script.py tells the format); its comments
say what becomes of books and log (sessions_effect.py). `{{prepaid}}` and its like are account
numbers, see sessions_stage.py, where a new script finds or adds the account it needs; one whose
balance a script tells or uses up belongs to that script alone.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sessions_effect import expected_effect
from sessions_stage import Stage

from agi_server.calls.identify import Method
from agi_server.calls.reasons import Reason
from agi_server.replay import load_script, play

SCRIPTS = sorted(Path(__file__).parent.glob("*.agi"))

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_a_session_goes_as_scripted(path: Path, stage: Stage) -> None:
    try:
        await _play(path, stage)
    except AssertionError:
        await stage.tidy()
        raise


async def _play(path: Path, stage: Stage) -> None:
    wanted = expected_effect(path)
    balances, since = await stage.balances(), datetime.now(UTC)
    result = await play(load_script(path), "127.0.0.1", stage.daemon.port, defines=stage.defines)
    effect = await stage.effect(wanted, since, balances)
    assert result.difference is None, f"{result.difference.text}\n{effect}"
    assert wanted == effect
    assert [] == await stage.reserved()
    assert [] == await stage.business.mismatches()


async def test_every_reason_every_method_and_every_end_has_a_script() -> None:
    calls = [call for path in SCRIPTS for call in expected_effect(path).calls]
    reasons = {call["reason"] for call in calls if call["state"] == "denied"}
    assert {reason.value for reason in Reason} == reasons
    assert {method.value for method in Method} <= {call.get("identified_by") for call in calls}
    assert {"settled", "denied", "void"} == {call["state"] for call in calls}
    statuses = {"ANSWER", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL", ""}
    assert statuses <= {call["dialstatus"] for call in calls if call["state"] == "settled"}
