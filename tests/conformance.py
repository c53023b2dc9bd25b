"""Scores ``trainc build --compat v2.3.0`` against the reference's own output, case by case.

In: a corpus (``tests/data/README.md``) and the command to test. Out: the first difference of each
case that fails, then ``conformance: N of M``; exit 0 only when all pass. ``make conformance`` runs
it; ``python -m tests.conformance random-0001`` runs the cases whose names begin so.

Where the reference refuses an input, each refused field must be reported; the wording is trainc's.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tests import corpora

Json = dict[str, Any]
_SHOWN: Final = 120  # characters of a value
# A struct that is no pointer prints as an empty object in Go.
_EMPTY_STRUCTS: Final = ("metadata", "resources", "strategy", "status")
_GATE = "--feature"


def case_folders(corpus: Path, prefixes: Iterable[str] = ()) -> list[Path]:
    """The cases of a corpus, those without the reference's output last."""
    parts = ("cases", "no-oracle")
    folders = [folder for part in parts for folder in sorted((corpus / part).glob("*"))]
    begins = tuple(prefixes)
    return [folder for folder in folders if not begins or folder.name.startswith(begins)]


def difference(case: Path, command: list[str]) -> str:
    """What is wrong with a build of the case; empty where nothing is."""
    done = subprocess.run(
        [*command, *_arguments(case)], capture_output=True, text=True, timeout=60, check=False
    )
    if "Traceback" in done.stderr or done.returncode not in (0, 1):
        return f"exit {done.returncode}: {done.stderr.strip()[-_SHOWN:]}"
    expected = case / "expected.json"
    if not expected.exists():  # the reference crashes: any clean end will do
        return ""
    entries: list[Json] = json.loads(expected.read_text(encoding="utf-8"))
    return _compare_refusal(entries, done) if _is_refused(entries) else _compare(entries, done)


def _arguments(case: Path) -> list[str]:
    arguments = ["build", str(case / "input.yaml"), "--output", "json", "--compat", "v2.3.0"]
    arguments += ["--secrets", "inline", "--problems", "json"]
    gates = case / "features.yaml"
    for line in gates.read_text(encoding="utf-8").splitlines() if gates.exists() else ():
        name, _, value = line.partition(":")
        arguments += [_GATE, f"{name.strip()}={value.strip()}"]
    return arguments


def _is_refused(entries: list[Json]) -> bool:
    verdicts = [entry["admission"] for entry in entries]
    return any(verdict.get("errors") or verdict.get("unknownFields") for verdict in verdicts)


def _compare_refusal(entries: list[Json], done: subprocess.CompletedProcess[str]) -> str:
    fields = sorted(refused_fields(entries))
    if done.returncode != 1:
        return f"must be refused: {fields}"
    try:
        problems = json.loads(done.stderr)
    except json.JSONDecodeError:
        return f"stderr is not a JSON list of problems: {done.stderr[:_SHOWN]!r}"
    errors = [(p["object"], p["field"]) for p in problems if p["severity"] == "error"]
    for name, field in fields:
        if not any(name == other and is_same_field(field, got) for other, got in errors):
            return f"not reported: {name} {field}; reported: {errors[:4]}"
    return ""


def refused_fields(entries: list[Json]) -> set[tuple[str, str]]:
    """The objects and fields that must be reported as errors; what is pruned is one, too."""
    pairs = set()
    for entry in entries:
        verdict = entry["admission"]
        errors = [error for error in verdict.get("errors", []) if error["type"] != "Decode"]
        fields = [error["field"] for error in errors if error["field"]]
        pairs |= {(entry["object"], field) for field in fields + verdict.get("unknownFields", [])}
    return pairs


def is_same_field(want: str, got: str) -> bool:
    """Whether a report names the refused field.

    The reference says ``<nil>`` for a rule on the whole object, so any field of it will do, and
    blames a missing runtime on either of two fields.
    """
    if want in (got, "<nil>"):
        return True
    return all(field.lower().startswith("spec.runtimeref") for field in (want, got))


def _compare(entries: list[Json], done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode != 0:
        return f"refused: {done.stderr.strip()[:_SHOWN]}"
    want = sorted((m for entry in entries for m in entry.get("manifests", [])), key=_key)
    got = sorted((normalised(manifest) for manifest in json.loads(done.stdout)), key=_key)
    if [_key(manifest) for manifest in want] != [_key(manifest) for manifest in got]:
        names = [[_key(manifest)[1:] for manifest in side] for side in (want, got)]
        return f"objects: want {names[0]}, got {names[1]}"
    for ours, theirs in zip(got, want, strict=True):
        _, kind, name = _key(theirs)
        for found in differences(pruned(theirs), ours, f"{kind}/{name}"):
            return found
    warned = any(entry["admission"].get("warnings") for entry in entries)
    return "a warning is missing on stderr" if warned and "warning" not in done.stderr else ""


def _key(manifest: Json) -> tuple[str, str, str]:
    return manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]


def normalised(manifest: Json) -> Json:
    """A manifest without what is random by nature: keys, certificates, Flux's scripts."""
    out: Json = pruned(manifest)
    name = out["metadata"]["name"]
    if out.get("kind") == "Secret":
        data = {**out.pop("stringData", {}), **out.get("data", {})}
        out["data"] = dict.fromkeys(data, "<generated>")
    elif out.get("kind") == "ConfigMap" and "flux" in name:
        out["data"] = dict.fromkeys(out["data"], "<script>")
    elif out.get("kind") == "ConfigMap" and name.endswith("-tls-config"):
        out["data"] = dict.fromkeys(out["data"], "<ca.crt>")
    return out


def pruned(value: Any) -> Any:
    """A value without nulls, owners (a UID exists only in a cluster) and Go's empty structs."""
    if isinstance(value, list):
        return [pruned(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: pruned(item)
        for key, item in value.items()
        if key != "ownerReferences"
        and item is not None
        and not (item == {} and key in _EMPTY_STRUCTS)
    }


def differences(want: Any, got: Any, path: str) -> Iterator[str]:
    """Where two values differ, and how."""
    if type(want) is not type(got):
        yield f"{path}: want {_shown(want)}, got {_shown(got)}"
    elif isinstance(want, dict):
        for key in sorted(want | got):
            if key not in want or key not in got:
                side, value = ("missing", want) if key in want else ("unexpected", got)
                yield f"{path}.{key}: {side} {_shown(value[key])}"
            else:
                yield from differences(want[key], got[key], f"{path}.{key}")
    elif isinstance(want, list):
        for index, (one, other) in enumerate(zip(want, got, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
        if len(want) != len(got):
            yield f"{path}: want {len(want)} items, got {len(got)}"
    elif want != got:
        yield f"{path}: want {_shown(want)}, got {_shown(got)}"


def _shown(value: Any) -> str:
    return json.dumps(value)[:_SHOWN]


def main() -> int:
    """Scores the corpus, prints, and gives the exit status."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("prefix", nargs="*", help="run the cases whose names begin so")
    parser.add_argument("--trainc", default="trainc", help="the command to test")
    arguments = parser.parse_args()
    cases = case_folders(corpora.conformance(), arguments.prefix)
    command = arguments.trainc.split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda case: difference(case, command), cases))
    for case, result in zip(cases, results, strict=True):
        if result:
            print(f"{case.name}: {result}")
    passed = results.count("")
    print(f"conformance: {passed} of {len(cases)}")
    return 0 if cases and passed == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
