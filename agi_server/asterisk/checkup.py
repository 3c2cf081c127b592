"""Is an Asterisk set up for the samples: what to look at, and how to mend it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from agi_server.asterisk.ami import Ami, AmiError, AmiRefusedError, ami_session
from agi_server.settings import AmiSettings

# What the dialplan of the samples cannot do without.
_MODULES = ("res_agi", "app_dial", "app_exec", "app_stack", "func_channel", "func_strings")
_CONTEXTS = (
    "agi-server-authorize", "agi-server-call", "agi-server-did", "agi-server-forward",
    "agi-server-lock", "agi-server-settle",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `good` is None for what could not be judged; `mend` says what to do."""

    what: str
    good: bool | None
    found: str
    mend: str = ""


async def check_asterisk(settings: AmiSettings, answered_subroutine: str) -> AsyncIterator[Finding]:
    """Look at one Asterisk over AMI."""
    where = f"Asterisk {settings.host}:{settings.port}"
    try:
        async with ami_session(settings) as ami:
            yield Finding(what=where, good=True, found="reachable, login accepted")
            yield await _systemname(ami, where)
            yield await _supervision(ami, where)
            yield await _modules(ami, where)
            for context in (*_CONTEXTS, answered_subroutine):
                yield await _context(ami, where, context)
    except AmiError as error:
        yield Finding(
            what=where,
            good=False,
            found=str(error),
            mend="compare host, port, user and secret in [[ami]] with manager.conf and its permit=,"
            " then: asterisk -rx 'manager reload'",
        )


async def _systemname(ami: Ami, where: str) -> Finding:
    answer = await ami.ask("CoreSettings")
    what = f"{where}: systemname"
    if _denied(answer):
        return _not_allowed(what, "reporting")
    name = answer.get("SystemName", "")
    return Finding(
        what=what,
        good=bool(name),
        found=name or "not set",
        mend=""
        if name
        else "without it, two servers or a restart may use the same uniqueid twice:"
        " systemname = pbx1 under [options] in asterisk.conf, then restart Asterisk",
    )


async def _supervision(ami: Ami, where: str) -> Finding:
    """May it see live calls, and would it hang one up: asked of a channel that is not there."""
    denied = []
    try:
        await ami.ask_list("CoreShowChannels", "CoreShowChannel")
    except AmiRefusedError:
        denied.append("reporting")
    answer = await ami.ask("Hangup", Channel="agi-server-doctor/none")
    if _denied(answer):
        denied.append("call")
    return Finding(
        what=f"{where}: supervision",
        good=not denied,
        found=f"not allowed: {', '.join(denied)}" if denied else "sees live calls, may end them",
        mend="read= and write= of the AMI user in manager.conf need call,reporting, then:"
        " asterisk -rx 'manager reload'"
        if denied
        else "",
    )


async def _modules(ami: Ami, where: str) -> Finding:
    what = f"{where}: modules"
    missing = []
    for module in _MODULES:
        answer = await ami.ask("ModuleCheck", Module=module)
        if _denied(answer):
            return _not_allowed(what, "system")
        if answer.get("Response") != "Success":
            missing.append(module)
    return Finding(
        what=what,
        good=not missing,
        found=f"not loaded: {', '.join(missing)}" if missing else "loaded",
        mend="load them in modules.conf (asterisk-samples/modules.conf has them all)"
        if missing
        else "",
    )


async def _context(ami: Ami, where: str, context: str) -> Finding:
    what = f"{where}: dialplan {context}"
    answer = await ami.ask("ShowDialPlan", Context=context)
    if _denied(answer):
        return _not_allowed(what, "reporting")
    there = answer.get("Response") == "Success"
    return Finding(
        what=what,
        good=there,
        found="there" if there else "missing",
        mend=""
        if there
        else "include asterisk-samples/extensions.conf in extensions.conf, then:"
        " asterisk -rx 'dialplan reload'",
    )


def _denied(answer: dict[str, str]) -> bool:
    return answer.get("Message") == "Permission denied"


def _not_allowed(what: str, permission: str) -> Finding:
    return Finding(
        what=what,
        good=None,
        found="not looked at",
        mend=f"to have it checked, add {permission} to write= of the AMI user in manager.conf",
    )
