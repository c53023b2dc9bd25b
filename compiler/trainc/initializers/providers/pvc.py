"""``pvc://CLAIM/PATH``: a path on a PersistentVolumeClaim of the TrainJob's namespace.

In: the claim, which the compiler mounts read-only at ``PVC_ROOT/CLAIM`` (``TRAINC_PVC_ROOT`` moves
it). Out: a remote. Links may point to anything on the same claim.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trainc.initializers.config import Config
from trainc.initializers.failure import ConfigurationError
from trainc.initializers.provider import Provider
from trainc.initializers.providers.file import FolderRemote
from trainc.names import PVC_ROOT


def remote(config: Config) -> FolderRemote:
    """What the URI names."""
    claim = config.uri.host
    if not claim:
        raise ConfigurationError("the URI names no claim: pvc://CLAIM/path")
    mount = Path(config.environ.get("TRAINC_PVC_ROOT") or PVC_ROOT, claim)
    if claim in (".", "..") or not mount.is_dir():
        raise ConfigurationError(f"the claim {claim!r} is not mounted at {mount}")
    path = mount / config.uri.path
    if not path.resolve().is_relative_to(mount.resolve()):
        raise ConfigurationError(f"{config.uri.text!r} leaves the claim")
    return FolderRemote(path, mount, config.target)


PROVIDER: Final = Provider(schemes=("pvc",), dataset=remote, model=remote)
