"""`history` of call plans, trunks, groups, series, campaigns and DID groups: who changed what."""

import click

from agi_server.business_audit import Noun, list_changes
from agi_server.cli.backends import Command, Session, with_database
from agi_server.cli.output import print_list, time
from agi_server.cli.parameters import json_option, limit_option


def history_of(noun: Noun, example: str) -> click.Command:
    """The command of a noun; `example` is a name of one."""

    @click.argument("name", required=False)
    @limit_option(100)
    @json_option
    @with_database
    async def history(session: Session, name: str | None, limit: int, as_json: bool) -> None:
        shown = [
            {
                "name": each.name,
                "changed_at": time(each.changed_at),
                "changed_by": each.changed_by,
                "field": each.field,
                "old": each.old,
                "new": each.new,
            }
            for each in await list_changes(session.db, noun, name, limit)
        ]
        print_list(shown, as_json=as_json, nothing="no changes")

    spelled = noun.replace("_", "-")
    return click.command(
        cls=Command,
        help=f"""Show who changed what, newest first; without a NAME of all, deleted ones included.

        \b
        Example:
          agi-server {spelled} history {example}
        """,
    )(history)
