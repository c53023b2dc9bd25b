from __future__ import annotations

from pathlib import Path

import kubernetes
import pytest

from trainc.controller.main import client


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"a: [", b"\xff\xfe", b"{}", b"contexts: 5", b"current-context: x\ncontexts: []"],
)
def test_a_kubeconfig_that_cannot_be_used_is_said_to_be(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config"
    file.write_bytes(content)
    with pytest.raises(kubernetes.config.ConfigException):
        client(str(file), None, 1)


def test_a_folder_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(kubernetes.config.ConfigException):
        client(str(tmp_path), None, 1)
