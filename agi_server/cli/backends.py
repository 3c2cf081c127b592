"""What every command shares: its settings, its backends, and `--embedded [DIR]`."""

import asyncio
import functools
import os
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import click

from agi_server.cli.faults import NoDatabaseError, UnreachableError
from agi_server.observe import logging as log
from agi_server.settings import Settings, load_settings, mask_url
from agi_server.storage.embedded import default_directory, embedded_backends
from agi_server.storage.postgres.pool import open_pool

_NO_DATABASE = (
    "no database: name yours (postgres.dsn and redis.url in agi-server.toml, or"
    " AGI_SERVER_POSTGRES__DSN and AGI_SERVER_REDIS__URL), or add --embedded DIR"
    " (AGI_SERVER_EMBEDDED=DIR) for a private PostgreSQL and Redis in DIR"
)


@dataclass
class _Chosen:
    """What `--config` and `--embedded` said; the word nearest to the command counts."""

    config: Path | None = None
    embedded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a command works with: the settings, a database and the time it was started."""

    settings: Settings
    db: Any
    now: datetime
    redis_url: str | None

    def require_redis(self) -> str:
        """Raises NoDatabaseError when none is set."""
        return _required_redis(self.redis_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Settings that certainly name a PostgreSQL; `redis_url` is None when none is set."""

    settings: Settings
    postgres_dsn: str
    redis_url: str | None

    def require_redis(self) -> str:
        """Raises NoDatabaseError when none is set."""
        return _required_redis(self.redis_url)


class Command(click.Command):
    """A command on which `--embedded` may stand with or without its DIR."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _bind_directory(args, self))


class Group(click.Group):
    """A group of such commands, which takes the same options."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _bind_directory(args, self))


def backend_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--config FILE` and `--embedded [DIR]`."""
    command = click.option(
        "--embedded",
        metavar="[DIR]",
        expose_value=False,
        callback=_choose_embedded,
        help="Use a private PostgreSQL and Redis in DIR (default: the user's data folder).",
    )(command)
    return click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=_choose_config,
        help="Settings file; otherwise ./agi-server.toml or /etc/agi-server/agi-server.toml.",
    )(command)


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Passes the settings as first argument; `--embedded` starts nothing."""

    @backend_options
    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        return command(load_settings(_chosen().config), *args, **options)

    return run


def with_backends(command: Callable[..., Any]) -> Callable[..., Any]:
    """Passes `Backends` as first argument; the embedded ones run as long as the command."""

    @backend_options
    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        with chosen_backends() as backends:
            return command(backends, *args, **options)

    return run


def with_database(command: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Makes an asynchronous function a command that gets a `Session` as first argument."""

    @with_backends
    @functools.wraps(command)
    def run(backends: Backends, *args: Any, **options: Any) -> Any:
        async def in_session() -> Any:
            async with AsyncExitStack() as stack:
                pool = await _open(stack, backends.postgres_dsn)
                session = Session(
                    settings=backends.settings,
                    db=pool,
                    now=datetime.now(UTC),
                    redis_url=backends.redis_url,
                )
                return await command(session, *args, **options)

        log_to_stderr(backends.settings)
        return asyncio.run(in_session())

    return run


@contextmanager
def chosen_backends() -> Iterator[Backends]:
    """The backends that settings and options name. Raises NoDatabaseError or SettingsError."""
    chosen = _chosen()
    settings = load_settings(chosen.config)  # its errors come before servers are started
    directory, option = _embedded_directory(chosen)
    if directory is None:
        if settings.postgres.dsn is None:
            raise NoDatabaseError(_NO_DATABASE)
        url = settings.redis.url
        yield Backends(
            settings=settings,
            postgres_dsn=settings.postgres.dsn.get_secret_value(),
            redis_url=None if url is None else url.get_secret_value(),
        )
        return
    with embedded_backends(directory) as servers:
        options = {
            "postgres.dsn": (option, servers.postgres_dsn),
            "redis.url": (option, servers.redis_url),
        }
        yield Backends(
            settings=load_settings(chosen.config, options=options),
            postgres_dsn=servers.postgres_dsn,
            redis_url=servers.redis_url,
        )


def embedded_word() -> str | None:
    """DIR of `--embedded` or AGI_SERVER_EMBEDDED; empty where none was named, None without both."""
    chosen = _chosen().embedded
    return chosen if chosen is not None else os.environ.get("AGI_SERVER_EMBEDDED") or None


async def reach_database(dsn: str) -> None:
    """Raises UnreachableError, which names the database."""
    async with AsyncExitStack() as stack:
        await _open(stack, dsn)


def _required_redis(url: str | None) -> str:
    if url is None:
        raise NoDatabaseError(
            "no Redis: name yours (redis.url or AGI_SERVER_REDIS__URL), or use --embedded DIR"
        )
    return url


async def _open(stack: AsyncExitStack, dsn: str) -> Any:
    try:
        return await stack.enter_async_context(open_pool(dsn, max_size=4))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise UnreachableError(f"PostgreSQL at {mask_url(dsn)}: {why}") from error


def log_to_stderr(settings: Settings) -> None:
    """Output is for the answer; warnings go beside it, more only where the settings say so."""
    level = settings.log.level if settings.origin("log.level") != "default" else "warning"
    log.configure(settings.log.format, level, sys.stderr)


def _embedded_directory(chosen: _Chosen) -> tuple[Path | None, str]:
    """The directory of the private servers, None for none, and what named it."""
    word = embedded_word()
    option = "AGI_SERVER_EMBEDDED" if chosen.embedded is None else "--embedded"
    if word is None:
        return None, option
    return (Path(word) if word else default_directory()), option


def _chosen() -> _Chosen:
    return click.get_current_context().ensure_object(_Chosen)


def _choose_config(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(_Chosen).config = value


def _choose_embedded(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(_Chosen).embedded = value


def _bind_directory(args: list[str], command: click.Command) -> list[str]:
    """Join `--embedded` and its DIR to one word, or to `--embedded=` where there is no DIR.

    What follows is DIR unless it is an option or a command. On a command that has arguments of its
    own it must also look like a folder (have a slash, begin with a dot, or be one), so that
    `customer show --embedded 1000000001` does not make a folder of that name.
    """
    bound: list[str] = []
    rest = deque(args)
    while rest:
        word = rest.popleft()
        bound.append(word)
        if word == "--config" and rest:
            bound.append(rest.popleft())
        elif word == "--" or _is_command(word, command):
            break  # what follows is for others
        elif word == "--embedded":
            directory = rest.popleft() if rest and _is_directory(rest[0], command) else ""
            bound[-1] = f"--embedded={directory}"
    return [*bound, *rest]


def _is_command(word: str, command: click.Command) -> bool:
    if not isinstance(command, click.Group):
        return False
    return word in command.list_commands(click.Context(command))


def _is_directory(word: str, command: click.Command) -> bool:
    if word.startswith("-"):
        return False
    if isinstance(command, click.Group):
        return not _is_command(word, command)
    if not any(isinstance(parameter, click.Argument) for parameter in command.params):
        return True
    return os.path.isdir(word) or (
        ("/" in word or word.startswith(".")) and not os.path.isfile(word)
    )
