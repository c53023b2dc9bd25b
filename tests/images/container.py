"""A process as it runs in one of the images: another user, and a root that cannot be written.

Linux gives that to root without an engine: a mount namespace whose root is read-only, and a user
that may read everything and write nothing but the folders it is given.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

# $1: the writable folder, $2: the user; the rest is the command.
_SEAL = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro /
user=$2; shift 2
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs \
  --inh-caps=-all,+dac_read_search --ambient-caps=+dac_read_search -- "$@"
"""


def sealed(command: list[str], user: int, writable: Path) -> list[str]:
    """The command, run as a user who can write that folder only; as it is where that cannot be."""
    if not _can_seal():
        return command
    os.chown(writable, user, user)
    return ["unshare", "--mount", "sh", "-c", _SEAL, "sh", str(writable), str(user), *command]


@cache
def _can_seal() -> bool:
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        return False
    done = subprocess.run(["unshare", "--mount", "mount", "-o", "remount,bind,ro", "/"])
    return done.returncode == 0
