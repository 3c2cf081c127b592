"""`agi-server group`: what a group of customers may do."""

from collections.abc import Callable
from typing import Any

import click

from agi_server.accounts import groups
from agi_server.accounts.codes import Restriction
from agi_server.accounts.groups import Group as CustomerGroup
from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.business_history import history_of
from agi_server.cli.output import print_list, print_one, word
from agi_server.cli.parameters import editor, json_option, restriction_option


@click.group(cls=Group)
@backend_options
def group() -> None:
    """Groups of customers, and what they may do.

    \b
    Example:
      agi-server group create offices --restriction whitelist --restricted-number '44*'
    """


def _permission(name: str, help: str, default: bool | None) -> Callable[..., Any]:
    """`--may-call/--may-not-call`."""
    return click.option(
        f"--may-{name}/--may-not-{name}", default=default, show_default=True, help=help
    )


def _group_options(default: bool | None) -> Callable[..., Any]:
    """What a group's customers may do, and the defaults of new ones."""
    options = (
        _permission("call", "Make calls at all.", default),
        _permission("self-care", "Use the self-care pages.", default),
        _permission("top-up", "Top up there.", default),
        _permission("request-services", "Request services there.", default),
        click.option(
            "--plan",
            "plans",
            multiple=True,
            metavar="NAME",
            help="A call plan that its customers may use; may be repeated. None: all.",
        ),
        click.option(
            "--default",
            "defaults",
            multiple=True,
            metavar="FIELD=VALUE",
            help="For new customers of the group, e.g. language=fr; may be repeated.",
        ),
    )

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@group.command()
@click.argument("name")
@_group_options(True)
@restriction_option
@click.option(
    "--restricted-number", "restricted_numbers", multiple=True, metavar="RULE", help="Repeatable."
)
@json_option
@with_database
async def create(
    session: Session,
    name: str,
    restriction: str | None,
    defaults: tuple[str, ...],
    as_json: bool,
    **fields: Any,
) -> None:
    """Create a group; its restriction is checked before the customer's own.

    \b
    Example:
      agi-server group create sleeping --may-not-call
      agi-server group create offices --plan standard --default language=fr
    """
    created = await groups.create_group(
        session.db,
        name,
        restriction=Restriction[(restriction or "none").upper()],
        defaults=_texts(defaults),
        editor=editor(session),
        **fields,
    )
    print_one(_fields(created), as_json=as_json)


@group.command()
@click.argument("name")
@_group_options(None)
@click.option("--all-plans", is_flag=True, help="Its customers may use all call plans.")
@click.option("--no-defaults", is_flag=True, help="New customers get no defaults of the group.")
@json_option
@with_database
async def update(
    session: Session,
    name: str,
    plans: tuple[str, ...],
    defaults: tuple[str, ...],
    all_plans: bool,
    no_defaults: bool,
    as_json: bool,
    **permissions: bool | None,
) -> None:
    """Change a group: what is named. Plans and defaults are replaced as a whole.

    \b
    Example:
      agi-server group update offices --plan standard --plan night
      agi-server group update offices --may-not-top-up --all-plans
    """
    changed = await groups.update_group(
        session.db,
        name,
        plans=plans if plans or all_plans else None,
        defaults=_texts(defaults) if defaults or no_defaults else None,
        editor=editor(session),
        **permissions,
    )
    print_one(_fields(changed), as_json=as_json)


@group.command()
@click.argument("name")
@json_option
@with_database
async def show(session: Session, name: str, as_json: bool) -> None:
    """Show a group.

    \b
    Example:
      agi-server group show offices
    """
    print_one(_fields(await groups.find_group(session.db, name)), as_json=as_json)


@group.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List the groups and how many customers each has.

    \b
    Example:
      agi-server group list --json
    """
    shown = [_fields(each) for each in await groups.list_groups(session.db)]
    print_list(shown, as_json=as_json, nothing="no groups")


@group.command()
@click.argument("name")
@with_database
async def delete(session: Session, name: str) -> None:
    """Delete a group that has no customers; deleted ones leave it.

    \b
    Example:
      agi-server group delete sleeping
    """
    await groups.delete_group(session.db, name, editor(session))
    click.echo(f"{name} deleted")


group.add_command(history_of("group", "offices"))


def _texts(defaults: tuple[str, ...]) -> dict[str, object]:
    """Texts by field name; a field with `-` may be written so, as its option is."""
    texts: dict[str, object] = {}
    for each in defaults:
        name, sign, text = each.partition("=")
        if not sign:
            raise click.BadParameter("must be FIELD=VALUE", param_hint="--default")
        texts[name.replace("-", "_")] = text
    return texts


def _fields(found: CustomerGroup) -> dict[str, object]:
    return {
        "name": found.name,
        "may_call": found.may_call,
        "may_self_care": found.may_self_care,
        "may_top_up": found.may_top_up,
        "may_request_services": found.may_request_services,
        "plans": list(found.plans),
        "restriction": word(found.restriction),
        "restricted_numbers": list(found.restricted_numbers),
        "defaults": [f"{name}={text}" for name, text in found.defaults.items()],
        "customers": found.accounts,
    }
