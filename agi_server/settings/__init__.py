"""The settings: one table of names, defaults and help, and where each value came from.

Sources, the later one wins: the TOML file (`--config`, else `./agi-server.toml`, else
`/etc/agi-server/agi-server.toml`), `conf.d/*.toml` beside it in the order of their names,
environment variables `AGI_SERVER_<SECTION>__<NAME>`, options of the command line. A secret can
stand in a file of its own: `dsn_file = "/run/secrets/dsn"` gives `dsn`, in TOML and environment.

Lists are replaced as a whole. In the environment, a list is written with commas and `ami` as JSON.
"""

from agi_server.settings.showing import SettingRow, effective, mask_url
from agi_server.settings.sources import SettingsError, load_settings
from agi_server.settings.table import (
    AccountsSettings,
    AmiSettings,
    CallsSettings,
    EmergencySettings,
    FastagiSettings,
    HoldMode,
    LogSettings,
    PhonesSettings,
    PostgresSettings,
    RatingSettings,
    RedisSettings,
    Settings,
    WebSettings,
)

__all__ = [
    "AccountsSettings",
    "AmiSettings",
    "CallsSettings",
    "EmergencySettings",
    "FastagiSettings",
    "HoldMode",
    "LogSettings",
    "PhonesSettings",
    "PostgresSettings",
    "RatingSettings",
    "RedisSettings",
    "SettingRow",
    "Settings",
    "SettingsError",
    "WebSettings",
    "effective",
    "load_settings",
    "mask_url",
]
