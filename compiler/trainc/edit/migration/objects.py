"""An old job's text, and the text of the objects that it becomes.

In: the lines of one job. Out: a text for each new object, in the format of ``trainc fmt``, with the
comments of the old one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from trainc.edit.formatting import formatted
from trainc.edit.migration.comments import comments_of, settle
from trainc.edit.text import of_bytes
from trainc.source.files import File

Convert = Callable[[Any], Sequence[Any]]
"""From round-trip data to round-trip data."""
_SEPARATOR = "---\n"


def texts_of(body: str, convert: Convert) -> list[str]:
    """The texts of the objects that one becomes; comments that lost their place come first.

    Args:
        body: The text of the old object, a document of its own.
        convert: What makes new objects of it.

    Raises:
        YAMLError: The round trip does not read what the loader does.
    """
    root = _round_trip().load(re.sub(r"\r\n?", "\n", body))
    foot = settle(root)
    comments = comments_of(root)
    dumped = [_dumped(each) for each in convert(root)]
    dumped[-1] += foot
    texts = [_in_form(text) for text in dumped]
    lines = (line for text in texts for line in re.split(r"(?m)^|(?=\s#)", text))
    there = {line.strip() for line in lines}
    texts[0] = "".join(f"{each}\n" for each in comments if each not in there) + texts[0]
    return texts


def comments_in(lines: str) -> list[str]:
    """The comments in some lines of YAML, in order.

    Raises:
        YAMLError: They cannot be read by themselves.
    """
    root = _round_trip().load(re.sub(r"\r\n?", "\n", lines))
    foot = settle(root)
    return [*comments_of(root), *(line.strip() for line in foot.split("\n") if line.strip())]


def loaded(lines: str) -> tuple[Any, str]:
    """Some lines of YAML as round-trip data, and the comments at their end.

    Raises:
        YAMLError: They cannot be read by themselves.
    """
    root = _round_trip().load(re.sub(r"\r\n?", "\n", lines))
    return root, settle(root)


def document_of(root: Any) -> str:
    """The text of one object in format."""
    return _in_form(_dumped(root))


def flow_of(node: Any) -> str:
    """A value on one line, between braces or brackets."""
    from ruamel.yaml import YAML

    out = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.default_flow_style = True
    yaml.width = 1 << 30
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if hasattr(each, "fa"):
            each.fa.set_flow_style()
        waiting += (
            each.values() if isinstance(each, dict) else each if isinstance(each, list) else []
        )
    yaml.dump(node, out)
    return out.getvalue().strip()


def _in_form(text: str) -> str:
    """The text in the format of ``trainc fmt``: its comments have columns of the old text."""
    return formatted(of_bytes(text.encode(), File("", "", True)))


def _round_trip() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.brace_single_entry_mapping_in_flow_sequence = True  # as people write it
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(node: Any) -> str:
    out = io.StringIO()
    _round_trip().dump(node, out)
    text = out.getvalue()
    return text if text.endswith("\n") else f"{text}\n"
