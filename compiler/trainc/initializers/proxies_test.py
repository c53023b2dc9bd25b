from __future__ import annotations

import pytest

from trainc.initializers.proxies import by_proxy, is_direct


@pytest.mark.parametrize(
    ("netloc", "direct"),
    [
        ("127.0.0.1:9000", True),
        ("127.9.9.9", True),
        ("10.0.0.5:80", True),
        ("10.1.0.5", False),
        ("[fd00::5]:9000", True),
        ("[fd01::5]", False),
        ("lab.example", True),
        ("x.lab.example:80", True),
        ("example.com", False),
        ("user:word@10.0.0.5:80", True),
    ],
)
def test_what_is_asked_straight(netloc: str, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.0/8, 10.0.0.0/16,fd00::/16,lab.example,/odd,1/2/3")
    monkeypatch.setenv("http_proxy", "http://user:planted@proxy.lab:3128/")
    assert is_direct(netloc) is direct
    said = "" if direct else ", by the environment's proxy proxy.lab:3128"
    assert by_proxy(f"http://{netloc}/x") == said
