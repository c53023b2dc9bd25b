"""Small disks for tests, in a mount namespace of their own that ends with the command."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import pytest

# As root, and as somebody to whom the kernel gives user namespaces.
_WAYS = (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount"))


@cache
def namespace() -> tuple[str, ...]:
    """What to put before a command that mounts; the test is skipped where nothing may mount."""
    for way in _WAYS if shutil.which("unshare") else ():
        probe = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return way
    pytest.skip("needs the right to mount a disk, in a user namespace or as root")
