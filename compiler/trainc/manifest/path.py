"""Where an object's file stands: ``<namespace>/<kind>.<group>-<name>.yaml``, safe everywhere.

In: an object. Out: a relative POSIX path that means one file on every file system: no upper case
(two names that differ only in it would be one file on macOS and Windows), nothing reserved, no part
longer than 255 bytes.
"""

import hashlib
import re
from typing import Final

from trainc.manifest.order import identity
from trainc.plan.plan import Object

CLUSTER: Final = "_cluster"  # folder of the objects without a namespace; no namespace is called so

_LONGEST: Final = 255  # bytes, on ext4, APFS and NTFS
_DIGEST: Final = 16  # hex digits that keep a cut name apart from others
_UNSAFE: Final = rb"[^a-z0-9._-]"
# Names of devices on Windows, with or without an extension.
_DEVICE: Final = r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)"


def path(each: Object) -> str:
    """The file of an object, relative to the output folder."""
    group, kind, namespace, name = identity(each)
    kind_and_group = f"{kind.lower()}.{group}" if group else kind.lower()
    folder = _folder(namespace) if namespace else CLUSTER
    return f"{folder}/{_cut(_escaped(f'{kind_and_group}-{name}'))}.yaml"


def _folder(namespace: str) -> str:
    """A namespace as a folder; hidden, an option, ``_cluster`` or a device is escaped."""
    name = _cut(_escaped(namespace))
    if name[0] in "._-" or re.match(_DEVICE, name):
        name = f"%{ord(name[0]):02x}{name[1:]}"
    return f"{name[:-1]}%2e" if name.endswith(".") else name


def _escaped(text: str) -> str:
    """Every byte that is not safe as ``%xx``; ``%`` itself too, so that no two texts meet."""
    raw = text.encode("utf-8", "surrogatepass")
    return re.sub(_UNSAFE, lambda match: f"%{match[0][0]:02x}".encode(), raw).decode()


def _cut(name: str) -> str:
    """The name, or its beginning and its digest where it would be too long with ``.yaml``."""
    if len(name) + len(".yaml") <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST - len('.yaml') - _DIGEST - 1]}-{digest}"
