"""Lists, keys and texts that take the place of others, in the style of those.

In: plain data, or ``ruamel.yaml``'s round-trip data with comments. Out: new data of the same kind;
comments go with the items they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any


def listed(items: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
    """A list in block style; each item has the comments above one of the sources' items."""
    from ruamel.yaml.comments import CommentedSeq

    made: list[Any] = CommentedSeq(items)
    comments = [
        known.items.get(index)
        for source in sources
        if (known := getattr(source, "ca", None)) is not None
        for index in range(len(source))
    ]
    for index, comment in enumerate(comments[: len(items)]):
        if comment:
            made.ca.items[index] = comment  # type: ignore[attr-defined]
    return made


def list_like(
    source: Any,
    *,
    before: Iterable[Any] = (),
    after: Iterable[Any] = (),
    keep: Callable[[Any], bool] = lambda item: True,
    change: Callable[[Any], Any] = lambda item: item,
) -> list[Any]:
    """A list of the items of another one, and of further ones before and after them.

    Args:
        source: The list, which stays as it is; None for an empty one in block style.
        before: New items before its own.
        after: New items behind them.
        keep: Which of its own items stay.
        change: What becomes of those.
    """
    from ruamel.yaml.comments import CommentedSeq

    lead, own = list(before), source if isinstance(source, list) else []
    stay = [index for index, item in enumerate(own) if keep(item)]
    made: Any = CommentedSeq([*lead, *(change(own[index]) for index in stay), *after])
    comments = getattr(own, "ca", None)
    if comments is not None:
        made.ca.comment = comments.comment
        for place, index in enumerate(stay, len(lead)):
            if index in comments.items:
                made.ca.items[place] = comments.items[index]
        if own.fa.flow_style() and made:  # type: ignore[attr-defined]
            made.fa.set_flow_style()
    out: list[Any] = made
    return out


def map_like(source: Any, **changes: Any) -> dict[str, Any]:
    """A map with the entries of another one, some of them with other values."""
    from ruamel.yaml.comments import CommentedMap

    made: Any = CommentedMap({**source, **changes})
    comments = getattr(source, "ca", None)
    if comments is not None:
        made.ca.comment = comments.comment
        made.ca.items.update(comments.items)
        if source.fa.flow_style():
            made.fa.set_flow_style()
    out: dict[str, Any] = made
    return out


def as_written(source: Any, made: dict[str, Any]) -> dict[str, Any]:
    """A map between braces where another one is, which it was made of."""
    style = getattr(source, "fa", None)
    if style is not None and style.flow_style():
        made.fa.set_flow_style()  # type: ignore[attr-defined]
    return made


def rename_key(target: MutableMapping[str, Any], old: str, name: str) -> None:
    """Gives an entry of a map another key, at its place and with its comments."""
    entries = [(name if key == old else key, value) for key, value in target.items()]
    target.clear()
    target.update(entries)
    comments = getattr(target, "ca", None)
    if comments is not None and old in comments.items:
        comments.items[name] = comments.items.pop(old)


def quoted(text: str) -> str:
    """A text in double quotes."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    out: str = DoubleQuotedScalarString(text)
    return out


def text_like(old: str, text: str) -> str:
    """A text in the quotes of another one; a folded one becomes a literal block."""
    from ruamel.yaml.scalarstring import FoldedScalarString, LiteralScalarString, ScalarString

    kind = LiteralScalarString if isinstance(old, FoldedScalarString) else type(old)
    out: str = kind(text) if issubclass(kind, ScalarString) else text
    return out
