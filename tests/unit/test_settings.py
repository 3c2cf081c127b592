from ipaddress import ip_network
from pathlib import Path

import pytest

from agi_server.settings import Settings, SettingsError, effective, load_settings, mask_url


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No agi-server.toml in the working folder and no variables of the developer's shell."""
    import os

    for variable in [name for name in os.environ if name.startswith("AGI_SERVER_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(config: Path | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(config)
    return caught.value.problems


def test_without_sources_the_defaults_of_the_contract_apply() -> None:
    settings = load_settings()
    assert 4573 == settings.fastagi.port
    assert "127.0.0.1" == settings.fastagi.host
    assert 1500 == settings.fastagi.deadline_ms
    assert ("accountcode", "callerid", "pin") == settings.calls.identify
    assert settings.postgres.dsn is None
    assert Settings() == settings


def test_later_sources_win_and_each_value_knows_its_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(
        tmp_path / "etc/my.toml",
        "[fastagi]\nport = 1\nhost = '10.0.0.1'\ndeadline_ms = 700\nmax_connections = 5",
    )
    write(tmp_path / "etc/conf.d/10-a.toml", "[fastagi]\nport = 2\nhost = '10.0.0.2'")
    last = write(tmp_path / "etc/conf.d/20-b.toml", "[fastagi]\nport = 3\nhost = '10.0.0.3'")
    monkeypatch.setenv("AGI_SERVER_FASTAGI__PORT", "4")
    monkeypatch.setenv("AGI_SERVER_FASTAGI__DEADLINE_MS", "900")

    settings = load_settings(config, options={"fastagi.port": ("--port", 5)})

    assert (5, "--port") == (settings.fastagi.port, settings.origin("fastagi.port"))
    assert 900 == settings.fastagi.deadline_ms
    assert "AGI_SERVER_FASTAGI__DEADLINE_MS" == settings.origin("fastagi.deadline_ms")
    assert "10.0.0.3" == settings.fastagi.host
    assert str(last) == settings.origin("fastagi.host")
    assert 5 == settings.fastagi.max_connections
    assert str(config) == settings.origin("fastagi.max_connections")
    assert "default" == settings.origin("fastagi.idle_timeout_s")


def test_a_file_in_the_working_folder_is_found_without_being_named() -> None:
    write(Path("agi-server.toml"), "[log]\nlevel = 'debug'")
    settings = load_settings()
    assert "debug" == settings.log.level
    assert "agi-server.toml" == settings.origin("log.level")


def test_lists_in_the_environment_are_written_with_commas_and_ami_as_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AGI_SERVER_FASTAGI__ALLOW", "10.1.0.0/16, ::1/128")
    monkeypatch.setenv("AGI_SERVER_CALLS__IDENTIFY", "pin")
    monkeypatch.setenv("AGI_SERVER_AMI", '[{"host": "pbx", "user": "agi", "secret": "s3cret"}]')
    settings = load_settings()
    assert (ip_network("10.1.0.0/16"), ip_network("::1/128")) == settings.fastagi.allow
    assert ("pin",) == settings.calls.identify
    assert [("pbx", 5038)] == [(ami.host, ami.port) for ami in settings.ami]
    assert "AGI_SERVER_AMI" == settings.origin("ami.0.host")


def test_unknown_keys_are_named_with_their_source_and_nearest_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path / "a.toml", "[fastagi]\nprot = 1\n[postgress]\ndsn = 'x'\n")
    monkeypatch.setenv("AGI_SERVER_REDIS__ULR", "x")
    monkeypatch.setenv("AGI_SERVER_FASTAG__PORT", "1")
    assert problems_of(config) == [
        "AGI_SERVER_FASTAG__PORT: unknown setting; did you mean AGI_SERVER_FASTAGI__PORT?",
        f"{config}: fastagi.prot: unknown setting; did you mean fastagi.port?",
        "AGI_SERVER_REDIS__ULR: unknown setting; did you mean AGI_SERVER_REDIS__URL?",
        f"{config}: postgress: unknown setting; did you mean postgres?",
    ]


def test_all_bad_values_are_reported_at_once_each_with_source_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(
        tmp_path / "a.toml",
        "[fastagi]\nallow = ['10.0.0.0/8', 'nowhere']\n[calls]\nidentify = ['pin', 'pin']\n"
        "[[ami]]\nhost = 'pbx'\n",
    )
    monkeypatch.setenv("AGI_SERVER_FASTAGI__PORT", "70000")
    problems = problems_of(config)
    assert f"{config}: fastagi.allow.1: value is not a valid IPv4 or IPv6 network" in problems
    assert f"{config}: calls.identify: names a value twice" in problems
    assert f"{config}: ami.0.user: is required" in problems
    assert "AGI_SERVER_FASTAGI__PORT: must be less than or equal to 65535" in problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[fastagi\nport = 1", "is not TOML"),
        ("fastagi = 3", "fastagi: must be a valid dictionary"),
        ("[[fastagi]]\nport = 1", "fastagi: must be a valid dictionary"),
        ("ami = 'x'", "ami: must be a valid tuple"),
    ],
)
def test_a_malformed_file_is_one_clear_line(tmp_path: Path, text: str, expected: str) -> None:
    config = write(tmp_path / "a.toml", text)
    (problem,) = problems_of(config)
    assert problem.startswith(f"{config}: ")
    assert expected in problem


def test_a_config_file_that_was_named_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert [f"{missing}: cannot be read: No such file or directory"] == problems_of(missing)


def test_a_variable_that_is_not_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGI_SERVER_AMI", "pbx")
    assert ["AGI_SERVER_AMI: must be JSON"] == problems_of()


def test_secrets_come_from_files_too_relative_to_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "etc/secrets/dsn", "postgresql://agi:geheim@db/agi\n")
    config = write(tmp_path / "etc/a.toml", "[postgres]\ndsn_file = 'secrets/dsn'")
    url = write(tmp_path / "url", "redis://:geheim@cache/0")
    monkeypatch.setenv("AGI_SERVER_REDIS__URL_FILE", str(url))
    settings = load_settings(config)
    assert settings.postgres.dsn is not None
    assert "postgresql://agi:geheim@db/agi" == settings.postgres.dsn.get_secret_value()
    assert settings.redis.url is not None
    assert "redis://:geheim@cache/0" == settings.redis.url.get_secret_value()


def test_a_secret_given_twice_or_in_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    config = write(
        tmp_path / "a.toml",
        "[postgres]\ndsn = 'postgresql://a/b'\ndsn_file = 'dsn'\n[redis]\nurl_file = 'none'",
    )
    assert problems_of(config) == [
        f"{config}: postgres.dsn_file: give either dsn or dsn_file, not both",
        f"{config}: redis.url_file: cannot read {tmp_path / 'none'}: No such file or directory",
    ]


def test_no_secret_is_shown_by_any_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGI_SERVER_POSTGRES__DSN", "postgresql://agi:geheim@db/agi?passfile=geheim")
    monkeypatch.setenv("AGI_SERVER_REDIS__URL", "redis://:geheim@cache/0?password=geheim")
    monkeypatch.setenv("AGI_SERVER_AMI", '[{"host": "h", "user": "u", "secret": "geheim"}]')
    settings = load_settings()
    shown = {row.name: row.value for row in effective(settings)}
    assert shown["postgres.dsn"] == "postgresql://agi:********@db/agi?passfile=********"
    assert shown["redis.url"] == "redis://:********@cache/0?password=********"
    assert "********" == shown["ami.0.secret"]
    assert "geheim" not in repr(settings) + repr(shown)

    monkeypatch.setenv("AGI_SERVER_POSTGRES__DSN", "mysql://agi:geheim@db")
    monkeypatch.setenv("AGI_SERVER_REDIS__URL", "geheim")
    assert "geheim" not in "\n".join(problems_of())


def test_a_socket_url_keeps_what_tells_where_it_is() -> None:
    for url in ("postgresql://agi@/t1?host=/tmp/pg", "unix:///run/redis.sock?db=1"):
        assert url == mask_url(url)


def test_every_setting_has_a_help_line_and_is_shown() -> None:
    rows = effective(Settings())
    assert [] == [row.name for row in rows if not row.help]
    assert {"fastagi.port", "ami.0.secret", "log.level"} <= {row.name for row in rows}


def test_settings_cannot_be_changed_after_they_were_checked() -> None:
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.fastagi.port = 1


SHIPPED = Path(__file__).parents[2] / "config/agi-server.toml"


def test_the_shipped_file_changes_nothing_and_names_every_setting_with_its_help() -> None:
    assert Settings().model_dump() == load_settings(SHIPPED).model_dump()
    text = SHIPPED.read_text(encoding="utf-8")
    for row in effective(Settings()):
        key = row.name.rpartition(".")[2]
        assert f"# {row.help}\n#{key} = " in text, row.name


def test_the_shipped_file_shows_the_defaults(tmp_path: Path) -> None:
    """With every comment sign before a setting removed, it is valid and says the same."""
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    config = write(
        tmp_path / "a.toml",
        "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# ")),
    )
    shown = load_settings(config)
    defaults = Settings()
    assert defaults.fastagi == shown.fastagi
    assert defaults.calls == shown.calls
    assert defaults.accounts == shown.accounts
    assert defaults.log == shown.log
    assert 1 == len(shown.ami)
