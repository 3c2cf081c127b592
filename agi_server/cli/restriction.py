"""`agi-server restriction`: numbers that a customer or a group may not call, or only may."""

from collections.abc import Callable
from typing import Any

import click

from agi_server.accounts import groups, restrictions
from agi_server.accounts.codes import Restriction
from agi_server.accounts.restrictions import RuleOwner
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_one, word
from agi_server.cli.parameters import editor, json_option, named_account, restriction_option


@click.group(cls=Group)
@backend_options
def restriction() -> None:
    """Numbers that a customer or a group may not call (blacklist), or only may (whitelist).

    A rule is a number (442079460000), a prefix (4420*) or an Asterisk pattern (_44[12]XXXX.).

    \b
    Example:
      agi-server restriction add --customer 1000000001 --restriction blacklist '4490*'
    """


def _owner_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--group", metavar="NAME", help="Whose rules: a group's.")(command)
    return click.option("--customer", metavar="ACCOUNT", help="Whose rules: a customer's.")(command)


@restriction.command()
@_owner_options
@restriction_option
@click.argument("rules", nargs=-1, required=True, metavar="RULE...")
@with_database
async def add(
    session: Session,
    customer: str | None,
    group: str | None,
    restriction: str | None,
    rules: tuple[str, ...],
) -> None:
    """Add rules; the first time, --restriction must say what they mean.

    \b
    Example:
      agi-server restriction add --group offices --restriction whitelist '44*' '_33[1-5]X.'
    """
    if restriction == "none":
        raise click.BadParameter("to lift it, use restriction remove --all", param_hint="none")
    owner, owner_id, current, _ = await _owner(session, customer, group)
    mode = None if restriction is None else Restriction[restriction.upper()]
    added = await restrictions.restrict(
        session.db, owner, owner_id, rules, current=current, mode=mode, editor=editor(session)
    )
    click.echo(f"{len(added)} added, {len(rules) - len(added)} were there already")


@restriction.command()
@_owner_options
@click.option("--all", "everything", is_flag=True, help="Remove all rules and the restriction.")
@click.argument("rules", nargs=-1, metavar="[RULE...]")
@with_database
async def remove(
    session: Session,
    customer: str | None,
    group: str | None,
    everything: bool,
    rules: tuple[str, ...],
) -> None:
    """Remove rules: all that are named or, when one of them is not there, none.

    \b
    Example:
      agi-server restriction remove --customer 1000000001 '4490*'
      agi-server restriction remove --group offices --all
    """
    if everything == bool(rules):
        raise click.UsageError("name the rules to remove, or --all")
    owner, owner_id, _, _ = await _owner(session, customer, group)
    if everything:
        await restrictions.lift(session.db, owner, owner_id, editor=editor(session))
    else:
        await restrictions.remove_rules(session.db, owner, owner_id, rules, editor=editor(session))
    click.echo("removed")


@restriction.command("list")
@_owner_options
@json_option
@with_database
async def list_(session: Session, customer: str | None, group: str | None, as_json: bool) -> None:
    """Show the restriction and its rules.

    \b
    Example:
      agi-server restriction list --customer 1000000001 --json
    """
    _, _, current, rules = await _owner(session, customer, group)
    fields = {"restriction": word(current), "rules": list(rules)}
    print_one(fields, as_json=as_json)


async def _owner(
    session: Session, customer: str | None, group: str | None
) -> tuple[RuleOwner, int, Restriction, tuple[str, ...]]:
    if (customer is None) == (group is None):
        raise click.UsageError("say whose rules: --customer ACCOUNT or --group NAME")
    if customer is not None:
        account = await named_account(session.db, customer)
        return RuleOwner.ACCOUNT, account.id, account.restriction, account.restricted_numbers
    assert group is not None
    found = await groups.find_group(session.db, group)
    return RuleOwner.GROUP, found.id, found.restriction, found.restricted_numbers
