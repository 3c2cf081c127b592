"""The table of settings: each with its default, its rule and its help."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PrivateAttr,
    SecretStr,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)


def _by_commas(value: object) -> object:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("names a value twice")
    return values


def _url(*schemes: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if urlsplit(text).scheme not in schemes or "://" not in text:
            raise ValueError(
                "must be a URL that begins with " + " or ".join(f"{s}://" for s in schemes)
            )
        return value

    return AfterValidator(check)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Identification = Literal["accountcode", "callerid", "pin"]
HoldMode = Literal["full", "rolling"]
PostgresUrl = Annotated[SecretStr, _url("postgresql", "postgres")]
RedisUrl = Annotated[SecretStr, _url("redis", "rediss", "unix")]


class FastagiSettings(_Section):
    host: str = "127.0.0.1"
    """Address to listen on for Asterisk."""
    port: int = Field(default=4573, ge=0, le=65535)
    """TCP port to listen on; 0 takes a free one."""
    allow: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_by_commas)] = (
        IPv4Network("127.0.0.0/8"),
        IPv6Network("::1/128"),
    )
    """Networks whose Asterisk servers may connect; others are closed at once."""
    deadline_ms: int = Field(default=1500, ge=100, le=60_000)
    """An answer that takes longer is a deny (unavailable)."""
    max_connections: int = Field(default=4000, ge=1)
    """AGI connections at a time; further ones are closed at once."""
    idle_timeout_s: int = Field(default=10, ge=1)
    """A peer that owes a line this long is closed, except while a prompt or Dial runs."""
    drain_timeout_s: int = Field(default=30, ge=0)
    """On SIGTERM, wait this long for sessions to end before closing them."""


class PostgresSettings(_Section):
    dsn: PostgresUrl | None = None
    """Where PostgreSQL is, e.g. postgresql://agi@db/agi."""
    pool_size: int = Field(default=10, ge=1, le=500)
    """Connections of one daemon."""


class RedisSettings(_Section):
    url: RedisUrl | None = None
    """Where Redis or Valkey is, e.g. redis://cache:6379/0."""
    timeout_ms: int = Field(default=200, ge=10)
    """Redis answers within this time, or the call goes on without it."""


class CallsSettings(_Section):
    identify: Annotated[
        tuple[Identification, ...],
        NoDecode,
        BeforeValidator(_by_commas),
        AfterValidator(_each_once),
    ] = ("accountcode", "callerid", "pin")
    """Ways to find the account, in this order; one left out is switched off."""
    ring_timeout_s: int = Field(default=60, ge=1, le=600)
    """How long Dial rings."""
    max_grant_s: int = Field(default=3600, ge=1, le=36_000)
    """The longest call that is granted, in seconds of talk."""
    hold_mode: HoldMode = "full"
    """What is held unless the call plan says otherwise: all of the limit, or slice by slice."""
    slice_s: int = Field(default=180, ge=2, le=3600)
    """Talk in seconds that a rolling hold pays for at a time, beyond the initial increment."""
    max_free_s: int = Field(default=5400, ge=1, le=36_000)
    """The longest call that is granted where the rate is zero."""
    warn_left_ms: int = Field(default=61_000, ge=0)
    """Play a warning when this much time is left; 0 plays none."""
    warn_every_ms: int = Field(default=30_000, ge=0)
    """Repeat the warning this often; 0 plays it once."""
    inbound_plan: str = ""
    """Call plan that prices calls to DIDs without one of their own; empty: the owner pays none."""
    on_net: Literal["off", "free", "plan"] = "off"
    """Customers' calls to DIDs go to no carrier: free for the caller, or priced by his plan."""
    answered_subroutine: str = Field(default="agi-server-answered", pattern=r"^[A-Za-z0-9_-]+$")
    """Dialplan context of the samples that Dial runs on the called channel when it answers."""
    pin_tries: int = Field(default=3, ge=1, le=10)
    """How often a caller may type an account number."""
    unseen_end: Literal["last_seen", "hold", "nothing"] = "last_seen"
    """What a call costs whose end nobody saw: to its last sign of life, all it held, or nothing."""
    recover_every_s: int = Field(default=30, ge=1)
    """How often open calls are compared with Asterisk's, and ended or freed where they are over."""


class AccountsSettings(_Section):
    number_length: int = Field(default=10, ge=6, le=15)
    """Digits of a generated account number."""
    number_luhn: bool = False
    """The last digit of account numbers is a check digit (Luhn), of those given too."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """Currency (ISO 4217) of an account when none is given."""
    max_callerids: int = Field(default=5, ge=0)
    """CallerIDs that one account may have."""
    failures_per_caller: int = Field(default=10, ge=1)
    """Wrong account numbers from one CallerID before it is locked out."""
    failures_per_source: int = Field(default=200, ge=1)
    """Wrong account numbers from one endpoint (a carrier, say) before it is locked out."""
    failures_window_s: int = Field(default=900, ge=1)
    """Time in which wrong account numbers are counted, and how long a lock-out lasts."""


class PhonesSettings(_Section):
    context: str = Field(default="agi-server-authorize", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    """Dialplan context of the samples in which customers' phones call."""
    codecs: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9.]{1,20}$")], ...],
        NoDecode,
        BeforeValidator(_by_commas),
        AfterValidator(_each_once),
    ] = ("alaw", "ulaw")
    """Codecs of customers' phones, the best first."""
    transport: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,40}$")
    """Transport of pjsip.conf they use; otherwise any."""
    realm: str = Field(default="asterisk", pattern=r"^[!-~]{1,100}$")
    """Realm of SIP authentication: default_realm of pjsip.conf. Secrets hold for it alone."""
    max_contacts: int = Field(default=1, ge=1, le=100)
    """Devices that may be registered with one SIP user at a time."""
    server: str = Field(default="127.0.0.1", pattern=r"^[A-Za-z0-9.:_-]{1,253}$")
    """Where phones register, as their provisioning file says it."""
    server_port: int = Field(default=5060, ge=1, le=65535)
    """Its SIP port."""


class RatingSettings(_Section):
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """How numbers are dialled where the account names no country, e.g. GB (ISO 3166)."""
    charge_zero_talk: bool = True
    """Charge a call that was hung up in the millisecond of its answer, as for its first second."""


# A template as trunks have them, with {number} alone.
_EMERGENCY_DIAL = r"^[A-Za-z0-9_]+/[^&,\"\s{}$]*\{number\}[^&,\"\s{}$]*$"


class EmergencySettings(_Section):
    numbers: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9]{2,6}$")], ...],
        NoDecode,
        BeforeValidator(_by_commas),
        AfterValidator(_each_once),
    ] = ()
    """Numbers that everybody may call at any time for nothing, e.g. 112,999."""
    dial: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_]+/[^&,\"\s{}$]*\{number\}[^&,\"\s{}$]*$"
    )
    """What Asterisk dials for them, e.g. PJSIP/{number}@gw."""

    @model_validator(mode="after")
    def _numbers_have_a_way_out(self) -> "EmergencySettings":
        if self.numbers and self.dial is None:
            raise ValueError("numbers need dial")
        return self


class WebSettings(_Section):
    enabled: bool = True
    """Serve the operator console and the API beside the calls."""
    host: str = "127.0.0.1"
    """Address to listen on; elsewhere than on loopback only behind a proxy with TLS."""
    port: int = Field(default=8080, ge=0, le=65535)
    """TCP port to listen on; 0 takes a free one."""


class AmiSettings(_Section):
    host: str
    """An Asterisk server's manager interface."""
    port: int = Field(default=5038, ge=1, le=65535)
    """Its TCP port."""
    user: str
    """A user of its manager.conf."""
    secret: SecretStr
    """The user's secret."""


class LogSettings(_Section):
    format: Literal["auto", "json", "console"] = "auto"
    """One JSON object a line, or pretty; auto is pretty on a terminal only."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe events that are logged."""


class Settings(BaseSettings):
    """All settings, validated and frozen. `Settings()` has the defaults and reads no source."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    fastagi: FastagiSettings = FastagiSettings()
    """The daemon that Asterisk calls."""
    postgres: PostgresSettings = PostgresSettings()
    """Accounts, rates, calls and the ledger."""
    redis: RedisSettings = RedisSettings()
    """Slots of simultaneous access."""
    calls: CallsSettings = CallsSettings()
    """How calls are identified, granted and charged."""
    accounts: AccountsSettings = AccountsSettings()
    """Customer accounts."""
    phones: PhonesSettings = PhonesSettings()
    """SIP and IAX users that Asterisk reads from the database."""
    rating: RatingSettings = RatingSettings()
    """How what was dialled becomes a number and a price."""
    emergency: EmergencySettings = EmergencySettings()
    """Emergency numbers: decided by these settings alone, whatever else is away."""
    web: WebSettings = WebSettings()
    """The operator console and the API."""
    ami: tuple[AmiSettings, ...] = ()
    """Manager interfaces of the Asterisk servers, one [[ami]] each."""
    log: LogSettings = LogSettings()
    """What is logged, and how."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    def origin(self, name: str) -> str:
        """Where a value came from: a file, a variable, an option or `default`."""
        return self._origins.get(name, "default")

    def with_origins(self, origins: dict[str, str]) -> "Settings":
        """The same settings, remembering where each value came from."""
        copy = self.model_copy()
        copy._origins = dict(origins)
        return copy

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed: `load_settings` reads the sources, to remember each origin."""
        return (init_settings,)


def section_model(field: FieldInfo) -> type[BaseModel]:
    """The model of a section, or of one item of a section that is a list."""
    annotation = field.annotation
    model = get_args(annotation)[0] if get_args(annotation) else annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return model
