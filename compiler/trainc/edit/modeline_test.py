from dataclasses import dataclass

import pytest

from trainc.edit.modeline import with_modeline

LINE = "# yaml-language-server: $schema=s.json"


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    text: str
    want: str


CASES = [
    TestCase("none", "kind: A\n", f"{LINE}\nkind: A\n"),
    TestCase("empty", "", f"{LINE}\n"),
    TestCase("line ends", "kind: A\r\nb: 1\r\n", f"{LINE}\r\nkind: A\r\nb: 1\r\n"),
    TestCase("no line end", "kind: A", f"{LINE}\nkind: A"),
    TestCase("comments stay", "# why\n\nkind: A  # x\n", f"{LINE}\n# why\n\nkind: A  # x\n"),
    TestCase("another one", "# why\n# yaml-language-server: $schema=old.json\r\nkind: A\n",
             f"# why\n{LINE}\r\nkind: A\n"),
    TestCase("the same", f"{LINE}\nkind: A\n", f"{LINE}\nkind: A\n"),
    TestCase("of a later document", "kind: A\n---\n# yaml-language-server: $schema=x\nkind: B\n",
             f"{LINE}\nkind: A\n---\n# yaml-language-server: $schema=x\nkind: B\n"),
    TestCase("a directive", "%YAML 1.2\n---\na: 1\n", f"{LINE}\n%YAML 1.2\n---\na: 1\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_gets_its_modeline(case: TestCase) -> None:
    assert with_modeline(case.text, "s.json") == case.want
    assert with_modeline(case.want, "s.json") == case.want
