"""What `doctor` finds on a real Asterisk that runs the samples."""

import pytest
from asterisk_server import AsteriskServer
from pydantic import SecretStr

from agi_server.asterisk.ami import AmiError, ami_session
from agi_server.asterisk.checkup import Finding, check_asterisk
from agi_server.settings import AmiSettings


def ami_of(asterisk: AsteriskServer, secret: str = "loopback") -> AmiSettings:
    return AmiSettings(
        host="127.0.0.1", port=asterisk.ami_port, user="agi-server", secret=SecretStr(secret)
    )


async def findings(settings: AmiSettings, subroutine: str) -> dict[str, Finding]:
    found = [finding async for finding in check_asterisk(settings, subroutine)]
    return {finding.what.rpartition(": ")[2]: finding for finding in found}


async def test_the_samples_are_found_in_order(asterisk: AsteriskServer) -> None:
    found = await findings(ami_of(asterisk), "agi-server-answered")
    # The samples' AMI user may not ask for modules; that is said, and is no fault.
    assert ["modules"] == [what for what, finding in found.items() if finding.good is None]
    assert [] == [finding for finding in found.values() if finding.good is False]
    assert "test" == found["systemname"].found
    assert found["supervision"].good
    for context in ("answered", "did", "forward", "lock"):
        assert found[f"dialplan agi-server-{context}"].good


async def test_a_missing_part_of_the_dialplan_is_found(asterisk: AsteriskServer) -> None:
    found = await findings(ami_of(asterisk), "no-such-context")
    assert found["dialplan no-such-context"].good is False
    assert "extensions.conf" in found["dialplan no-such-context"].mend


async def test_an_ami_user_that_may_not_supervise_is_found(asterisk: AsteriskServer) -> None:
    manager_conf = asterisk.folder / "etc/agi-server/manager.conf"
    samples = manager_conf.read_text()
    manager_conf.write_text(samples.replace("call,reporting", "dialplan"))
    try:
        asterisk.cli("manager reload")
        found = (await findings(ami_of(asterisk), "agi-server-answered"))["supervision"]
    finally:
        manager_conf.write_text(samples)
        asterisk.cli("manager reload")
    assert (False, "not allowed: reporting, call") == (found.good, found.found)
    assert "manager.conf" in found.mend


async def test_a_refused_login_is_found_without_the_secret(asterisk: AsteriskServer) -> None:
    (finding,) = (await findings(ami_of(asterisk, "geheim"), "x")).values()
    assert (False, "login refused: Authentication failed") == (finding.good, finding.found)
    assert "geheim" not in str(finding)


async def test_no_action_is_smuggled_in_by_a_line_end(asterisk: AsteriskServer) -> None:
    async with ami_session(ami_of(asterisk)) as ami:
        with pytest.raises(ValueError, match="line end"):
            await ami.ask("ShowDialPlan", Context="x\r\nAction: Originate")
        assert "Success" == (await ami.ask("Ping"))["Response"]
    with pytest.raises(AmiError, match="line end"):
        async with ami_session(ami_of(asterisk, "x\r\nAction: Logoff")):
            pass
