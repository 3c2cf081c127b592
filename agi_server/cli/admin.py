"""`agi-server admin`: who may sign in to the console, and the tokens of the API."""

import sys

import click

from agi_server.cli.backends import Group, Session, backend_options, with_database
from agi_server.cli.output import print_json, print_list, time
from agi_server.cli.parameters import json_option
from agi_server.refused import InvalidFieldError
from agi_server.web.auth import operators
from agi_server.web.auth.operators import StoredOperator
from agi_server.web.auth.roles import Role
from agi_server.web.auth.secrets import generate_password, new_totp_secret, totp_uri


@click.group(cls=Group)
@backend_options
def admin() -> None:
    """Operators of the console and the API.

    \b
    Example:
      agi-server admin create alice
      agi-server admin create bob --role reseller --group offices
    """


def _password_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
        click.option("--totp", is_flag=True, help="Ask for one-time codes of an app as well."),
        click.option("--password-stdin", is_flag=True, help="Read the password; else one is made."),
    ):
        command = option(command)
    return command


@admin.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ADMIN.value,
    show_default=True,
    help="support sees all and changes nothing; reseller has one group's customers.",
)
@click.option("--group", metavar="NAME", help="The reseller's.")
@click.option("--language", default="en", show_default=True, help="Of the console: en, fr, es.")
@click.option("--timezone", default="UTC", show_default=True, help="Of times it shows.")
@_password_options
@json_option
@with_database
async def create(
    session: Session,
    name: str,
    role: str,
    group: str | None,
    language: str,
    timezone: str,
    password_stdin: bool,
    totp: bool,
    as_json: bool,
) -> None:
    """Create an operator; prints the password that was made, which is shown only now.

    \b
    Example:
      agi-server admin create alice --timezone Europe/Paris --language fr
      agi-server admin create carol --role support --password-stdin < password
    """
    password = _password(password_stdin)
    secret = new_totp_secret() if totp else None
    await operators.create_operator(
        session.db,
        name,
        role=Role(role),
        group=group,
        password=password,
        totp_secret=secret,
        language=language,
        timezone=timezone,
        at=session.now,
    )
    _tell_secrets(name, None if password_stdin else password, secret, as_json)


@admin.command("list")
@json_option
@with_database
async def list_(session: Session, as_json: bool) -> None:
    """List operators.

    \b
    Example:
      agi-server admin list --json
    """
    found = await operators.list_operators(session.db)
    shown = [_fields(each) for each in found]
    print_list(shown, as_json=as_json, nothing="no operators: agi-server admin create NAME")


@admin.command()
@click.argument("name")
@_password_options
@json_option
@with_database
async def password(
    session: Session, name: str, password_stdin: bool, totp: bool, as_json: bool
) -> None:
    """Give an operator a new password, with --totp a new authenticator, else none.

    \b
    Example:
      agi-server admin password alice --totp
    """
    new = _password(password_stdin)
    secret = new_totp_secret() if totp else None
    await operators.set_password(session.db, name, new, secret)
    _tell_secrets(name, None if password_stdin else new, secret, as_json)


@admin.command()
@click.argument("name")
@with_database
async def disable(session: Session, name: str) -> None:
    """Switch an operator off: sessions end, tokens are refused.

    \b
    Example:
      agi-server admin disable bob
    """
    await operators.switch_operator(session.db, name, False, at=session.now)
    click.echo("disabled")


@admin.command()
@click.argument("name")
@with_database
async def enable(session: Session, name: str) -> None:
    """Switch an operator on again, tokens included.

    \b
    Example:
      agi-server admin enable bob
    """
    await operators.switch_operator(session.db, name, True, at=session.now)
    click.echo("enabled")


@admin.group(cls=Group)
def token() -> None:
    """Tokens with which programs use the API, each with the rights of its operator.

    \b
    Example:
      agi-server admin token create alice billing
    """


@token.command("create")
@click.argument("name")
@click.argument("label")
@json_option
@with_database
async def create_token(session: Session, name: str, label: str, as_json: bool) -> None:
    """Make a token; it is shown only now.

    \b
    Example:
      agi-server admin token create alice billing
    """
    made = await operators.create_token(session.db, name, label, at=session.now)
    if as_json:
        print_json({"operator": name, "label": label, "token": made})
    else:
        click.echo(made)


@token.command("list")
@json_option
@with_database
async def list_tokens(session: Session, as_json: bool) -> None:
    """List tokens, never their text.

    \b
    Example:
      agi-server admin token list
    """
    shown = [
        {
            "operator": each.operator,
            "label": each.label,
            "created_at": time(each.created_at),
            "revoked_at": time(each.revoked_at),
        }
        for each in await operators.list_tokens(session.db)
    ]
    print_list(shown, as_json=as_json, nothing="no tokens")


@token.command("revoke")
@click.argument("name")
@click.argument("label")
@with_database
async def revoke_token(session: Session, name: str, label: str) -> None:
    """Refuse a token from now on.

    \b
    Example:
      agi-server admin token revoke alice billing
    """
    await operators.revoke_token(session.db, name, label, at=session.now)
    click.echo("revoked")


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        return generate_password()
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InvalidFieldError("password", "standard input has none")
    return given


def _tell_secrets(name: str, made: str | None, secret: str | None, as_json: bool) -> None:
    uri = None if secret is None else totp_uri(secret, name)
    if as_json:
        print_json({"name": name, "password": made, "totp": uri})
        return
    click.echo(f"operator  {name}")
    if made is not None:
        click.echo(f"password  {made}")
    if uri is not None:
        click.echo(f"totp      {uri}")
    if made is not None or uri is not None:
        click.echo("keep them: they are not shown again", err=True)


def _fields(operator: StoredOperator) -> dict[str, object]:
    return {
        "name": operator.name,
        "role": operator.role.value,
        "group": operator.group,
        "language": operator.language,
        "timezone": operator.timezone,
        "totp": operator.has_totp,
        "created_at": time(operator.created_at),
        "disabled_at": time(operator.disabled_at),
    }
