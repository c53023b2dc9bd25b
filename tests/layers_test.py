"""The house keeps its direction: what each room may import, read from the sources themselves.

Rooms stand from left to right as data flows backwards: a room may import those to its right. What
is heavy has one room that may know it. Tests beside the sources may import anything.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import trainc

ROOT = Path(trainc.__file__).parent

# A name without a folder is a module of trainc itself.
ORDER = """
cli api given edit explain diff incremental report review pipeline gitops lint project library
compile manifest plan policies policy info spec source kube settings budget names errors codes
version
"""
CHAIN = ORDER.split()
LEAVES = {"budget", "codes", "names", "errors", "version"}

# Rooms beside the chain -> what they may import of it.
BESIDE = {
    "install": {"library", "manifest", "source", "kube", *LEAVES},
    "controller": {"spec", "source", "kube", *LEAVES},
    "initializers": {"endpoint", "storage", *LEAVES},
    "progress": {"endpoint", *LEAVES},
    "endpoint": set(),
    "storage": LEAVES,
    "cache": {"storage", *LEAVES},
}
# The commands of the programs beside the chain start them.
STARTS = {"cli": {"controller", "initializers", "cache", "install"}}
# Modules that may reach further than their room: compiling in the cluster, discovery of policies.
DOORS = {
    "controller/compile.py": {"api"},
    "controller/snapshot.py": {"manifest"},
    "policy.py": {"policies"},
}

# Package -> the places that may import it: rooms (with /) or single modules.
HEAVY = {
    "click": {"cli/"},
    "jinja2": {"source/counting.py", "source/sandbox.py", "source/template.py"},
    "kubernetes": {"controller/"},
    "pyarrow": {"cache/"},
    "pyiceberg": {"cache/"},
    "obstore": {"initializers/"},
    "pycurl": {"initializers/"},
    "botocore": {"initializers/", "storage/"},
    "awscrt": {"initializers/"},
    "httpx2": {"initializers/"},
    "isal": {"initializers/"},
    "huggingface_hub": {"initializers/"},
    "pydantic": {"spec/models.py", "spec/models/"},
    "cryptography": {"kube/keys.py"},
    "jsonschema_rs": {"kube/", "spec/"},
}


def sources() -> list[str]:
    """Every module of the product, relative to the package; tests are not part of it."""
    found = (path for path in ROOT.rglob("*.py") if not path.name.endswith("_test.py"))
    left_out = {"conftest.py", "sample.py"}  # for tests only
    return sorted(p.relative_to(ROOT).as_posix() for p in found if p.name not in left_out)


def imports(source: str) -> Iterator[str]:
    """The dotted names a module imports, those under ``if TYPE_CHECKING`` too."""
    for node in ast.walk(ast.parse((ROOT / source).read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: str) -> str:
    """``plan/jobset.py`` and ``trainc.plan.jobset`` stand in ``plan``."""
    return path.removeprefix("trainc.").partition("/")[0].partition(".")[0]


def allowed(source: str) -> set[str]:
    here = room(source)
    if here in BESIDE:
        return {here, *BESIDE[here], *DOORS.get(source, set())}
    starts = STARTS.get(here, set())
    return {*CHAIN[CHAIN.index(here) :], *starts, *DOORS.get(source, set())}


@pytest.mark.parametrize("source", sources())
def test_a_room_imports_only_what_stands_right_of_it(source: str) -> None:
    if source in ("__init__.py", "__main__.py"):
        return
    ours = {room(name) for name in imports(source) if name.startswith("trainc.")}
    assert ours <= allowed(source), f"{source} imports {sorted(ours - allowed(source))}"


@pytest.mark.parametrize("package", HEAVY)
def test_a_heavy_package_is_known_to_its_own_room_only(package: str) -> None:
    for source in sources():
        if any(name.partition(".")[0] == package for name in imports(source)):
            places = HEAVY[package]
            inside = any(source == place or source.startswith(place) for place in places)
            assert inside, f"{source} imports {package}, which belongs to {sorted(places)}"


def test_policies_do_not_know_each_other() -> None:
    for source in sources():
        if not source.startswith("policies/"):
            continue
        own = ".".join(["trainc", *Path(source).with_suffix("").parts[:2]])
        siblings = [n for n in imports(source) if n.startswith("trainc.policies.")]
        assert all(name.startswith(own) for name in siblings), f"{source} imports {siblings}"


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {room(source).removesuffix(".py") for source in sources()} - {"__init__", "__main__"}
    assert rooms <= {*CHAIN, *BESIDE}


@pytest.mark.parametrize("source", sources())
def test_a_module_says_what_it_is_for_and_stays_small(source: str) -> None:
    text = (ROOT / source).read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{source} has no docstring"
    assert len(text.splitlines()) <= 500, f"{source} is too long: split it by what it holds"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= 40, f"{source}: {node.name} has {length} lines"
