import subprocess
from collections.abc import Callable
from pathlib import Path

from command_line import PROGRAM, Finished, daemon


def test_a_recorded_call_is_a_script_without_secrets_that_replays(
    shop: Callable[..., Finished], env: dict[str, str], scripts: Path
) -> None:
    typed = (
        (scripts / "denied.agi").read_text().replace("authorize", "authorize?account=1000000001")
    )
    (scripts / "typed.agi").write_text(typed)
    with daemon(env, scripts) as port:
        recorder = subprocess.Popen(
            [*PROGRAM, "record", "--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{port}"],
            env=env,
            cwd=scripts,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert recorder.stdout is not None
            address = recorder.stdout.readline().split()[-1]
            played = shop("replay", "typed.agi", "--to", address)
            assert 0 == played.exit_code, played.out + played.err
            told = recorder.stdout.readline()
        finally:
            recorder.terminate()
            recorder.communicate(timeout=30)
        assert 0 == recorder.returncode
        (script,) = (scripts / "sessions").iterdir()
        assert script.name in told
        assert "account_1" in told
        assert "1000000001" not in script.read_text()
        again = ("replay", str(script), "--to", f"127.0.0.1:{port}")
        assert 1 == shop(*again).exit_code  # account_1 has no value yet
        replayed = shop(*again, "--define", "account_1=1000000001")
        assert 0 == replayed.exit_code, replayed.out + replayed.err
