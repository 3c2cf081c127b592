"""Reads the sources of the settings, remembers origins and words what is wrong with them."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource
from pydantic_settings import SettingsError as EnvironmentSourceError

from agi_server.settings.table import Settings, section_model

ENV_PREFIX = "AGI_SERVER_"
CONFIG_FILES = (Path("agi-server.toml"), Path("/etc/agi-server/agi-server.toml"))

# Variables of the same prefix that choose backends or debugging and belong to no section.
_OTHER_VARIABLES = {"AGI_SERVER_EMBEDDED", "AGI_SERVER_DEBUG"}


class SettingsError(Exception):
    """Settings that cannot be used; `problems` has one line for each, naming source and key."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def load_settings(
    config: Path | None = None, *, options: Mapping[str, tuple[str, object]] | None = None
) -> Settings:
    """Read and check all sources.

    `config` is the file named by `--config`; `options` maps a name such as `fastagi.port` to the
    option that gave it and its value. Raises SettingsError with every problem found.
    """
    reader = _Reader()
    for path in _config_files(config):
        reader.read_toml(path)
    reader.read_environment()
    for name, (option, value) in (options or {}).items():
        section, _, key = name.partition(".")
        reader.add(option, {section: {key: value}})
    return reader.settings()


class _Reader:
    """Collects the sources, remembers where each value came from and words the problems."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._origins: dict[str, str] = {}
        self._problems: list[str] = []

    def read_toml(self, path: Path) -> None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            self._problems.append(f"{path}: cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self._problems.append(f"{path}: is not UTF-8 text")
        except tomllib.TOMLDecodeError as error:
            self._problems.append(f"{path}: is not TOML: {error}")
        else:
            self.add(str(path), values, folder=path.parent)

    def read_environment(self) -> None:
        for variable in sorted(os.environ):
            section = variable.removeprefix(ENV_PREFIX).split("__")[0].lower()
            if (
                variable.startswith(ENV_PREFIX)
                and variable not in _OTHER_VARIABLES
                and section not in Settings.model_fields
            ):
                name = variable.removeprefix(ENV_PREFIX).lower().replace("__", ".")
                hint = _did_you_mean(name, variable=True)
                self._problems.append(f"{variable}: unknown setting{hint}")
        source = EnvSettingsSource(Settings, env_prefix=ENV_PREFIX, env_nested_delimiter="__")
        try:
            self.add("environment", source())
        except EnvironmentSourceError as error:
            field = re.search(r'field "(\w+)"', str(error))
            self._problems.append(f"{_variable(field[1] if field else '')}: must be JSON")

    def add(self, origin: str, values: Mapping[str, Any], *, folder: Path = Path()) -> None:
        """Merge one source over the earlier ones, reading the secrets it keeps in files."""
        for section, entries in values.items():
            self._remember(section, origin)
            if isinstance(entries, list):
                entries = [
                    self._with_secrets(f"{section}.{index}", each, origin, folder)
                    for index, each in enumerate(entries)
                ]
            else:
                entries = self._with_secrets(section, entries, origin, folder)
                kept = self._values.get(section)
                if isinstance(kept, Mapping) and isinstance(entries, Mapping):
                    entries = {**kept, **entries}
            self._values[section] = entries

    def settings(self) -> Settings:
        """Raises SettingsError."""
        try:
            settings = Settings(**self._values)
        except ValidationError as error:
            for problem in error.errors():
                self._word(problem)
        if self._problems:
            raise SettingsError(self._problems)
        return settings.with_origins(self._origins)

    def _remember(self, name: str, origin: str) -> None:
        # A list comes from one variable as a whole: AGI_SERVER_AMI gives ami.0.host.
        variable = _variable(re.split(r"\.\d+\.", name)[0])
        self._origins[name] = variable if origin == "environment" else origin

    def _with_secrets(self, table: str, entries: Any, origin: str, folder: Path) -> Any:
        """Replace each `<name>_file` of a secret by the content of that file; note the origins."""
        if not isinstance(entries, Mapping):
            return entries
        result = dict(entries)
        for key in entries:
            self._remember(f"{table}.{key}", origin)
        for key in _secrets(table.partition(".")[0]):
            if f"{key}_file" not in result:
                continue
            name = f"{table}.{key}_file"
            path = folder / str(result.pop(f"{key}_file"))
            self._remember(f"{table}.{key}", origin)
            if key in result:
                self._problem(name, f"give either {key} or {key}_file, not both")
                continue
            try:
                result[key] = path.read_text(encoding="utf-8").strip()
            except OSError as error:
                self._problem(name, f"cannot read {path}: {error.strerror}")
            except UnicodeDecodeError:
                self._problem(name, f"{path} is not UTF-8 text")
        return result

    def _word(self, problem: Mapping[str, Any]) -> None:
        name = ".".join(str(part) for part in problem["loc"])
        message = str(problem["msg"]).removeprefix("Value error, ")
        message = message.replace("Input should be", "must be")
        if problem["type"] == "extra_forbidden":
            variable = self._origin(name).startswith(ENV_PREFIX)
            message = f"unknown setting{_did_you_mean(name, variable=variable)}"
        elif problem["type"] == "missing":
            message = "is required"
        self._problem(name, message[:1].lower() + message[1:])

    def _problem(self, name: str, message: str) -> None:
        origin = self._origin(name)
        label = origin if origin == _variable(name) else f"{origin}: {name}"
        self._problems.append(f"{label}: {message}")

    def _origin(self, name: str) -> str:
        """The origin of a value, or of the list or table it stands in or is missing from."""
        while name not in self._origins:
            name = name.rpartition(".")[0]
        return self._origins[name]


def _config_files(config: Path | None) -> list[Path]:
    if config is None:
        config = next((path for path in CONFIG_FILES if path.exists()), None)
    if config is None:
        return []
    return [config, *sorted((config.parent / "conf.d").glob("*.toml"))]


def _variable(name: str) -> str:
    return ENV_PREFIX + name.replace(".", "__").upper()


def _secrets(section: str) -> list[str]:
    field = Settings.model_fields.get(section)
    keys = section_model(field).model_fields.items() if field else ()
    return [key for key, each in keys if "SecretStr" in str(each.annotation)]


def _did_you_mean(name: str, *, variable: bool) -> str:
    """Names the setting that was probably meant: the same key elsewhere, or a close spelling."""
    known = [
        f"{section}.{key}"
        for section, field in Settings.model_fields.items()
        for key in section_model(field).model_fields
    ]
    key = name.rpartition(".")[2]
    found = [each for each in known if each.rpartition(".")[2] == key]
    found += difflib.get_close_matches(name, [*known, *Settings.model_fields], n=1)
    if not found:
        return ""
    return f"; did you mean {_variable(found[0]) if variable else found[0]}?"
