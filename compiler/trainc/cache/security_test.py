import subprocess
import sys
from pathlib import Path

import pytest

from trainc.cache.local import mint_token
from trainc.cache.security import Security, read_token
from trainc.errors import TraincError

PATH = Path("/x")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "::1", "[::1]"])
def test_the_loopback_needs_nothing(host: str) -> None:
    Security().check_listening(host, insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "cache.example", ""])
@pytest.mark.parametrize(
    "security",
    [Security(), Security(token=PATH), Security(PATH, PATH), Security(PATH, None, None, PATH)],
)
def test_elsewhere_tls_and_a_token_are_needed(host: str, security: Security) -> None:
    with pytest.raises(TraincError, match="will not listen on .* without TLS and a token"):
        security.check_listening(host, insecure=False)
    security.check_listening(host, insecure=True)
    Security(cert=PATH, key=PATH, token=PATH).check_listening(host, insecure=False)


@pytest.mark.parametrize("role", ["head", "worker"])
def test_a_process_refuses_to_listen_in_the_open(role: str) -> None:
    command = [sys.executable, "-m", "trainc.cache", role, "0.0.0.0", "0"]
    environ = {"STORAGE_URI": "cache+parquet:///nowhere", "TRAINC_CACHE_WORKERS": "a:1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "will not listen on 0.0.0.0" in done.stderr and "Traceback" not in done.stderr
    assert "TRAINC_CACHE_INSECURE=true" in done.stderr


def test_a_minted_token_is_its_owners(tmp_path: Path) -> None:
    path = mint_token(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(read_token(path)) >= 32
