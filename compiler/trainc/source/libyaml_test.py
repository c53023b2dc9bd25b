import subprocess
import sys

import pytest

READ = """
from trainc.source.parse import parse
def read():
    documents, problems = parse(b"a: &x [1, 'b']\\nc: *x\\n---\\nd: [\\n", "f.yaml")
    (document,), (problem,) = documents, problems
    assert document.root == {"a": [1, "b"], "c": [1, "b"]}, document.root
    assert document.mark(("a", 1))[1:] == (1, 11)
    assert problem.message.startswith("did not find expected node content")
    assert problem.mark[1:] == (5, 1), problem
    _, (control,) = parse(b"a: \\x00", "f.yaml")
    assert control.message == "control characters are not allowed"
    assert control.mark[1:] == (1, 4), control
    _, (tag,) = parse(b"a: !<%ff> x", "f.yaml")
    assert "UTF-8" in tag.message, tag
"""
RUAMEL = """
from io import StringIO
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
def ruamel():
    for kind in ("safe", "rt"):
        yaml = YAML(typ=kind, pure=False)
        assert yaml.load("a: [1, b]") == {"a": [1, "b"]}
        try:
            yaml.load("a: [")
            raise AssertionError("not refused")
        except YAMLError:
            pass
    yaml = YAML(typ="safe", pure=False)
    names = [type(event).__name__ for event in yaml.parse("a: b")]
    assert names[3] == "ScalarEvent", names
    out = StringIO()
    yaml.dump({"a": 1}, out)
    assert out.getvalue() == "{a: 1}\\n" or out.getvalue() == "a: 1\\n", out.getvalue()
"""


@pytest.mark.parametrize(
    "order",
    [
        READ + "read()",
        READ + "read()" + RUAMEL + "ruamel()\nread()",
        RUAMEL + READ + "ruamel()\nread()\nruamel()",
        READ + "import ruamel.yaml.scalarstring\nread()" + RUAMEL + "ruamel()\nread()",
        "import _ruamel_yaml\n" + READ + "read()" + RUAMEL + "ruamel()",
    ],
    ids=[
        "alone",
        "before ruamel",
        "after ruamel",
        "before a part of ruamel",
        "after the extension",
    ],
)
def test_the_extension_serves_us_and_ruamel(order: str) -> None:
    subprocess.run([sys.executable, "-c", order], check=True, timeout=60)


def test_a_build_imports_nothing_of_ruamel() -> None:
    script = (
        "import sys\nfrom trainc.source.source import load\nload(['.'])\n"
        "loaded = {name for name in sys.modules if name.startswith('ruamel')}\n"
        "assert loaded <= {'ruamel.yaml.clib._ruamel_yaml'}, loaded\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
