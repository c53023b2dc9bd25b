import io
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from trainc.errors import Problem
from trainc.source.files import File, find, read
from trainc.source.reader import MAX_BYTES
from trainc.source.walk import project_root

NOBODY = 65534


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    tree: list[str]
    want: list[str]
    paths: list[str] = field(default_factory=lambda: ["."])
    root: str | None = None
    exclude: tuple[str, ...] = ()
    output: str | None = None


@dataclass(frozen=True)
class ProblemCase:
    __test__ = False
    name: str
    path: str
    message: str
    severity: str = "error"
    hint: str = ""


def plant(folder: Path, tree: list[str]) -> None:
    """Makes files of the names; ``a -> b`` is a link, ``a/`` a folder, ``a = x|y`` has lines."""
    for line in tree:
        name, _, target = line.partition(" -> ")
        name, _, text = name.partition(" = ")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        elif name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(text.replace("|", "\n"))


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            "suffixes, at any depth",
            ["b.yml", "a.yaml", "c/d/e.json", "f.txt", "g.yaml.bak", "h.YAML", "i.yaml.j2"],
            ["a.yaml", "b.yml", "c/d/e.json"],
        ),
        TestCase(
            "hidden folders and files",
            [".git/a.yaml", "b/.c/d.yaml", ".e.yaml", "f.yaml"],
            ["f.yaml"],
        ),
        TestCase("a folder with the name of a file", ["a.yaml/b.yaml"], ["a.yaml/b.yaml"]),
        TestCase("project files", ["trainc.yaml", "a/trainc.yaml", "b.yaml"], ["b.yaml"]),
        TestCase(
            "a project file that is asked for", ["trainc.yaml"], ["trainc.yaml"], ["trainc.yaml"]
        ),
        TestCase(
            "the output folder",
            ["out/a.yaml", "b.yaml", "c/out/d.yaml"],
            ["b.yaml", "c/out/d.yaml"],
            output="out",
        ),
        TestCase(
            "the output of another build", ["a.yaml", "dev/.trainc.json", "dev/b.yaml"], ["a.yaml"]
        ),
        TestCase(
            "another build's output, asked for",
            ["dev/.trainc.json", "dev/b.yaml"],
            ["b.yaml"],
            ["dev"],
        ),
        TestCase(
            "a link to the output folder",
            ["out/a.yaml", "b.yaml", "c -> out"],
            ["b.yaml"],
            output="out",
        ),
        TestCase("the output folder, asked for", ["out/a.yaml"], ["a.yaml"], ["out"], output="out"),
        TestCase(
            "exclude: a name", ["a.yaml", "b/a.yaml", "c.yaml"], ["c.yaml"], exclude=("a.yaml",)
        ),
        TestCase("exclude: a path", ["a.yaml", "b/a.yaml"], ["b/a.yaml"], exclude=("/a.yaml",)),
        TestCase("exclude: a folder", ["a/b/c.yaml", "d.yaml"], ["d.yaml"], exclude=("a/",)),
        TestCase(
            "exclude: stars",
            ["a/b/c.yaml", "a/d.yaml", "e.tmp.yaml"],
            ["a/d.yaml"],
            exclude=("a/**/c.yaml", "*.tmp.yaml"),
        ),
        TestCase(
            "exclude: all but", ["a.yaml", "b.yaml"], ["b.yaml"], exclude=("*.yaml", "!b.yaml")
        ),
        TestCase(
            "exclude does not touch what is named",
            ["a.yaml", "b.yaml"],
            ["a.yaml", "b.yaml"],
            [".", "a.yaml"],
            exclude=("a.yaml",),
        ),
        TestCase(
            "exclude does not touch a folder that is named",
            ["a/b.yaml"],
            ["b.yaml"],
            ["a"],
            exclude=("a/",),
        ),
        TestCase(
            "an ignore file",
            [".traincignore = # old|/old/|*.bak.yaml", "old/a.yaml", "b.bak.yaml", "c/old/d.yaml"],
            ["c/old/d.yaml"],
        ),
        TestCase(
            "ignore files below",
            [
                ".traincignore = *.yaml",
                "a/.traincignore = !k*.yaml",
                "a/keep.yaml",
                "a/b.yaml",
                "keep.yaml",
            ],
            ["a/keep.yaml"],
        ),
        TestCase(
            "the ignore file of the project, from below",
            ["trainc.yaml", ".traincignore = /a/b/", "a/b/c.yaml", "a/d.yaml"],
            ["a/d.yaml"],
            ["a"],
            root=".",
        ),
        TestCase(
            "names are relative to the project",
            ["p/trainc.yaml", "p/a/b.yaml"],
            ["a/b.yaml"],
            ["p/a"],
            root="p",
        ),
        TestCase("a file of the project", ["p/a/b.yaml"], ["a/b.yaml"], ["p/a/b.yaml"], root="p"),
        TestCase(
            "a file outside the project",
            ["p/a.yaml", "q/b.yaml"],
            ["q/b.yaml"],
            ["./q//b.yaml"],
            root="p",
        ),
        TestCase("two folders", ["a/j.yaml", "b/j.yaml"], ["a/j.yaml", "b/j.yaml"], ["b", "a"]),
        TestCase("a folder in a folder", ["a/b/c.yaml"], ["b/c.yaml"], ["a/b", "a"]),
        TestCase("a file twice", ["a.yaml"], ["a.yaml"], ["a.yaml", "./a.yaml", "."]),
        TestCase("a link to a file", ["a.yaml", "b.yaml -> a.yaml"], ["a.yaml"]),
        TestCase("a link to a file of another name", ["a.txt", "b.yaml -> a.txt"], ["b.yaml"]),
        TestCase("a link to a folder", ["a/b.yaml", "c -> a"], ["a/b.yaml"]),
        TestCase(
            "a link into a hidden folder",
            ["..data/b.yaml", "b.yaml -> ..data/b.yaml", "c -> ..data"],
            ["..data/b.yaml"],
        ),
        TestCase(
            "links in a circle",
            ["a/b.yaml", "a/up -> ..", "a/self -> .", "c -> d", "d -> c"],
            ["a/b.yaml"],
        ),
        TestCase("a link to an excluded folder", ["v/a.yaml", "w -> v"], [], exclude=("v/",)),
        TestCase(
            "a link out of a folder, inside the project",
            ["a/l -> ../b", "b/c.yaml"],
            ["b/c.yaml"],
            ["a"],
            root=".",
        ),
        TestCase("a line break in a name", ["a\nb.yaml"], ["a\\nb.yaml"]),
        TestCase(
            "letters",
            ["é.yaml", "z.yaml", "A.yaml", "a b.yaml"],
            ["A.yaml", "a b.yaml", "z.yaml", "é.yaml"],
        ),
        TestCase("nothing", ["a/"], []),
    ],
    ids=lambda case: case.name,
)
def test_find(case: TestCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plant(tmp_path, case.tree)
    root, output = case.root, case.output
    files, problems = find(
        case.paths, exclude=case.exclude, root=root, output_dir=output, projects=[]
    )
    assert [file.name for file in files] == case.want
    assert not problems
    backwards, _ = find(case.paths[::-1], exclude=case.exclude, root=root, output_dir=output)
    assert backwards == files
    monkeypatch.chdir("/")
    far = [str(tmp_path / path) for path in case.paths if not os.path.isfile(tmp_path / path)]
    if len(far) == len(case.paths):
        root, output = (place and str(tmp_path / place) for place in (root, output))
        found, _ = find(far, exclude=case.exclude, root=root, output_dir=output)
        assert [file.name for file in found] == case.want


@pytest.mark.parametrize(
    "case",
    [
        ProblemCase(
            "nothing there", "nope.yaml", "no such file or directory", hint="check the spelling"
        ),
        ProblemCase("an empty name", "", "no such file or directory"),
        ProblemCase("a NUL in a name", "a\0b", "no usable path"),
        ProblemCase("a file as a folder", "file.yaml/x", "not a directory"),
        ProblemCase("a name that is too long", "a" * 5000, "file name too long"),
        ProblemCase(
            "a link to itself", "loop.yaml", "too many levels of symbolic links", hint="leads back"
        ),
        ProblemCase("a link to nothing, found", "nothing", "no such file or directory"),
        ProblemCase(
            "a link out, found", "out", "leads out of the folder, not read", hint="exclude"
        ),
        ProblemCase("a link out, named", "out/l", "leads out of the folder, not read"),
        ProblemCase("a path out, through a link", "out/l/x.yaml", "leads out of the folder"),
        ProblemCase("a hidden file, named", ".hidden.yaml", "is hidden, not read", hint="no dot"),
        ProblemCase("a hidden folder, named", ".hidden", "is hidden, not read"),
        ProblemCase("a link to a hidden file", "hidden.yaml", "is hidden, not read"),
        ProblemCase("a folder of links to hidden files", "links", "is hidden, not read"),
        ProblemCase("a pipe, found", "pipe", "is no regular file, not read", hint="exclude it"),
        ProblemCase("a pattern that is none", "ignore", "is no pattern", hint="gitignore"),
        ProblemCase("an ignore file that is a folder", "folder", "cannot be read"),
    ],
    ids=lambda case: case.name,
)
def test_find_reports(case: ProblemCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plant(tmp_path, ["file.yaml", "loop.yaml -> loop.yaml", "nothing/a.yaml -> b", "out/l -> /usr"])
    plant(tmp_path, [".hidden.yaml", ".hidden/a.yaml", "hidden.yaml -> .hidden.yaml"])
    plant(tmp_path, ["links/a.yaml -> ../.hidden/a.yaml"])
    plant(tmp_path, ["pipe/", "ignore/.traincignore = ok|a\\", "folder/.traincignore/"])
    os.mkfifo("pipe/a.yaml")
    _, problems = find([case.path])
    (problem,) = problems
    assert case.message in problem.message
    assert problem.severity == case.severity
    assert case.hint in problem.hint
    assert problem.mark is not None


def test_find_reports_a_bad_exclude_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, problems = find(["."], exclude=("a\\",), projects=[])
    assert [problem.message for problem in problems] == [r"'a\\' is no pattern"]


@contextmanager
def without_rights() -> Iterator[None]:
    """Root, who may read everything, is nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_what_may_not_be_read_is_reported() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others
        folder = Path(name)
        folder.chmod(0o755)
        plant(folder, ["a/b.yaml", "c.yaml"])
        (folder / "a").chmod(0)
        (folder / "c.yaml").chmod(0)
        with without_rights():
            files, (problem,) = find([name])
            refused = read(files[0])
        (folder / "a").chmod(0o700)
    assert problem.message == "permission denied"
    assert "right to read" in problem.hint
    assert isinstance(refused, Problem)
    assert refused.message == "permission denied"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
def test_read_gives_every_byte(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    data = read(File(str(path), "a.yaml", False))
    assert data == path.read_bytes()


def test_read_gives_every_byte_of_a_pipe_that_the_shell_opened() -> None:
    end, start = os.pipe()
    text = b"a: 1\n" * 50_000

    def write() -> None:
        with open(start, "wb") as pipe:
            pipe.write(text)

    writer = threading.Thread(target=write)
    writer.start()
    assert read(File(f"/dev/fd/{end}", "pipe", True)) == text
    writer.join()
    os.close(end)


def test_read_refuses_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    for path in ("/dev/zero", str(tmp_path / "pipe")):
        refused = read(File(path, "x", True))
        assert isinstance(refused, Problem)
        assert refused.message == "is no regular file, not read"
    refused = read(File(str(tmp_path / "socket"), "x", True))
    server.close()
    assert isinstance(refused, Problem)


def test_read_refuses_what_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    os.truncate(tmp_path / "a.yaml", MAX_BYTES + 1)
    refused = read(File(str(tmp_path / "a.yaml"), "a.yaml", True))
    assert isinstance(refused, Problem)
    assert refused.message == f"larger than {MAX_BYTES >> 20} MiB"


def test_read_reports_what_vanished(tmp_path: Path) -> None:
    refused = read(File(str(tmp_path / "gone.yaml"), "gone.yaml", False))
    assert isinstance(refused, Problem)
    assert str(refused).startswith("gone.yaml: error: no such file or directory")


def test_read_takes_standard_input() -> None:
    files, _ = find(["-", "-"])
    assert files == [File("-", "<stdin>", True)]
    assert read(files[0], io.BytesIO(b"a: 1\n")) == b"a: 1\n"
    assert read(files[0], None) == b""


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/a\xff.yaml", "wb"):
        pass
    ((path, name, *_),), _ = find([str(tmp_path)])
    assert name == "a\\xff.yaml"
    assert read(File(path, name, False)) == b""


def test_names_that_are_no_utf8_meet_patterns(tmp_path: Path) -> None:
    for name in (b"/a\xff.yaml", b"/b\xff.yaml", "/c\u00fc.yaml".encode(), "/\u00fc.yaml".encode()):
        with open(os.fsencode(tmp_path) + name, "wb"):
            pass
    (tmp_path / "trainc.yaml").write_text("")
    files, problems = find([str(tmp_path)], root=str(tmp_path), exclude=["b*", "c\u00fc.yaml"])
    assert ([file.name for file in files], problems) == (["a\\xff.yaml", "\u00fc.yaml"], [])


def test_project_root(tmp_path: Path) -> None:
    plant(tmp_path, ["p/trainc.yaml", "p/a/b/", "q/trainc.yaml/", "p/repo/.git/", "p/repo/a/"])
    real = tmp_path.resolve()
    assert project_root(str(tmp_path / "p" / "a" / "b")) == str(real / "p")
    assert project_root(str(tmp_path / "p")) == str(real / "p")
    assert project_root(str(tmp_path / "q")) is None
    assert project_root(str(tmp_path / "p" / "repo" / "a")) is None
