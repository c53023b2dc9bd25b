"""Which files of a model are left out where no patterns are set: copies of its weights, no others.

In: a listing. Out: for each file that is left out, the rule that says so. A repository often holds
the same weights in several forms; one is enough. Everything else is fetched: nobody can know from
outside which small file a tokenizer or a pipeline reads.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trainc.initializers.provider import RemoteFile

OLDER: Final = "older weights beside the same in a newer form"
EXPORTS: Final = "exports for other runtimes"
CHECKPOINTS: Final = "single-file checkpoints of a pipeline"

# Forms of weights, the newest first; safetensors run no code when they are read.
_FORMS: Final = {
    ".safetensors": 0,
    ".bin": 1,
    ".pt": 2,
    ".pth": 2,
    ".ckpt": 2,
    ".h5": 3,
    ".msgpack": 4,
    ".ot": 5,
}
_PYTORCH: Final = 2  # the last form of PyTorch's own
# What runtimes other than PyTorch read; the last is where CoreML keeps its weights.
_EXPORTS: Final = re.compile(
    r"\.onnx$|\.onnx[._]data(_\d+)?$|\.tflite$|\.mlmodel$|\.dlc$|\.engine$"
    r"|(^|/)openvino_[^/]*\.(bin|xml)$|\.mlpackage/|(^|/)saved_model/"
    r"|(^|/)(onnx|openvino|coreml)/(?!.*\.(json|txt|model|spm|bpe|codes|tsv|ya?ml|py|md)$)"
)
_SMALL: Final = 10 * 1024 * 1024  # bytes: what is smaller is fetched, whatever it is
_INDEX: Final = re.compile(r"\.index(?:\.[^.]+)?\.json$")
_SHARD: Final = re.compile(r"-\d{5}-of-\d{5}")
# The names under which libraries save one model: transformers' of each framework, and so on.
_FRAMEWORKS: Final = re.compile(r"(^|_)(pytorch|tf|flax|rust)_(?=model)")
_META: Final = re.compile(r"consolidated\.\d+")
_PIPELINE: Final = "model_index.json"  # of diffusers


def left_out(files: Sequence[RemoteFile]) -> dict[str, str]:
    """The paths of files that are left out, each with its rule; never all weights of a folder."""
    names: dict[str, set[str]] = defaultdict(set)
    for file in files:
        folder, _, name = file.path.rpartition("/")
        names[folder].add(name)
    forms = {folder: _newest(each) for folder, each in names.items()}
    found = {}
    for file in files:
        if rule := _rule(file, names, forms):
            found[file.path] = rule
    return found


def _rule(
    file: RemoteFile, names: Mapping[str, set[str]], forms: Mapping[str, Mapping[str, int]]
) -> str:
    """Why a file is left out, empty where it is not."""
    folder, _, name = file.path.rpartition("/")
    model, form = _model_of(name)
    newest = forms[folder].get(model, form)
    if form > newest or _is_metas(folder, name, forms):
        return OLDER
    if file.size is not None and file.size <= _SMALL:
        return ""
    if form > _PYTORCH and 0 <= min(forms[folder].values()) <= _PYTORCH:
        return OLDER  # another framework's, under a name of its own
    if _EXPORTS.search(file.path) and _has_weights(folder, forms):
        return EXPORTS
    if name.endswith(".ckpt") and _PIPELINE in names[folder]:
        return CHECKPOINTS
    return ""


def _newest(names: Iterable[str]) -> dict[str, int]:
    """Each model of a folder with the newest form that it is there in; indexes are no weights."""
    found: dict[str, int] = {}
    for name in names:
        model, form = _model_of(name)
        if form >= 0 and not _INDEX.search(name):
            found[model] = min(form, found.get(model, form))
    return found


def _model_of(name: str) -> tuple[str, int]:
    """What weights are called without their form and framework, and the form; -1 for no weights."""
    whole = _INDEX.sub("", name)  # an index goes with its shards
    stem, dot, ending = whole.rpartition(".")
    form = _FORMS.get(f"{dot}{ending}", -1)
    if form < 0 or stem.startswith("openvino_"):
        return name, -1
    stem = _FRAMEWORKS.sub(r"\1", _SHARD.sub("", stem))
    if ending == "pth" and _META.fullmatch(stem):
        stem = "model"
    return stem, form


def _is_metas(folder: str, name: str, forms: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether a file is Meta's own copy, ``original/consolidated.00.pth``, of the folder above."""
    above, _, last = folder.rpartition("/")
    if last != "original" or not name.endswith(".pth"):
        return False
    return forms.get(above, {}).get("model") == 0 and _model_of(name)[0] == "model"


def _has_weights(folder: str, forms: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether PyTorch's weights are in a folder or in one above it."""
    while True:
        if any(0 <= form <= _PYTORCH for form in forms.get(folder, {}).values()):
            return True
        if not folder:
            return False
        folder = folder.rpartition("/")[0]
