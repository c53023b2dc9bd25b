"""The tree of a template, made to count what it does.

In: a tree as Jinja2 has parsed it. Out: the same tree, in which each block of statements pays when
it is entered and each round of a loop when it begins; and a refusal of what Python cannot compile.
A block pays for what stands in it, blocks inside it pay for themselves; so each step of a rendering
is paid for, whichever way it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from trainc.budget import STEP

PAY: Final = "trainc_pay"
EACH: Final = "trainc_each"
COMPARED: Final = "trainc_compared"
SLICED: Final = "trainc_sliced"
NOTHING: Final = "trainc_nothing"
"""The names of filters that a tree calls to pay."""
NO_ELSE: Final = "an if without else says nothing here"

_NODE: Final = 30  # units of a node that is evaluated
_BEGUN: Final = 400  # of a loop, besides its rounds
_NUMBERED: Final = 500  # of a round that knows its number
_DEEP_LOOPS: Final = 16  # Python takes 20 blocks inside one another in a function
_DEEP: Final = 40  # it takes 100 steps of indentation; Jinja2 makes up to two for a statement
_BODIES: Final = ("body", "else_")
# What has a copy of the names in sight made for it, or writes them all down.
_COPYING: Final = (
    nodes.If, nodes.For, nodes.Macro, nodes.CallBlock, nodes.With, nodes.Include, nodes.Import,
    nodes.FromImport, nodes.Block,
)  # fmt: skip


def count(tree: nodes.Template, name: str) -> None:
    """Lets a tree pay for what it does.

    Args:
        tree: The template, which is changed.
        name: How the template is printed.

    Raises:
        TemplateSyntaxError: Statements stand too deep in one another.
    """
    _refuse_deep(tree, name, 0, 0)
    for node in _all(tree):
        change = _CHANGES.get(type(node))
        if change is not None:
            change(node)
    for node in _all(tree):
        _let_pay(node)


def _round(loop: nodes.For) -> None:
    cost = STEP + _own([loop.test, loop.target]) + _own(loop.body)
    if any(isinstance(node, nodes.Name) and node.name == "loop" for node in _all(loop)):
        cost += _NUMBERED
    loop.iter = _filter(loop.iter, EACH, nodes.Const(cost))


def _comparison(comparison: nodes.Compare) -> None:
    comparison.expr = _filter(comparison.expr, COMPARED)
    for operand in comparison.ops:
        operand.expr = _filter(operand.expr, COMPARED)


def _slice(item: nodes.Getitem) -> None:
    if isinstance(item.arg, nodes.Slice):
        item.node = _filter(item.node, SLICED)


def _key(pair: nodes.Pair) -> None:
    if not isinstance(pair.key, nodes.Const):
        pair.key = _filter(pair.key, COMPARED)


def _choice(choice: nodes.CondExpr) -> None:
    if choice.expr2 is None:  # of which Jinja2 makes an empty text
        choice.expr2 = _filter(nodes.Const(NO_ELSE, lineno=choice.lineno), NOTHING)


def _concatenation(concatenation: nodes.Concat) -> None:
    parts = nodes.List(concatenation.nodes, lineno=concatenation.lineno)
    concatenation.nodes = [_filter(parts, "join")]


_CHANGES: Final[dict[type[nodes.Node], Callable[[Any], None]]] = {
    nodes.For: _round,
    nodes.Compare: _comparison,
    nodes.Getitem: _slice,
    nodes.Pair: _key,
    nodes.CondExpr: _choice,
    nodes.Concat: _concatenation,
}


def _all(tree: nodes.Node) -> list[nodes.Node]:
    """Every node, each after the one it belongs to."""
    found = [tree]
    for node in found:
        found += node.iter_child_nodes()
    return found


def deepest(tree: nodes.Template) -> int:
    """The line of what is nested deepest."""
    return int(_all(tree)[-1].lineno)


def names(tree: nodes.Template) -> int:
    """How many names a template sets."""
    found: set[str] = set()
    for node in _all(tree):
        if isinstance(node, nodes.Name) and node.ctx != "load":
            found.add(node.name)
        elif isinstance(node, nodes.FromImport):
            found |= set(map(_known_as, node.names))
    return len(found)


def copies(tree: nodes.Template) -> int:
    """How often Jinja2 copies every name in sight while it compiles a tree."""
    return sum(isinstance(node, _COPYING) for node in _all(tree))


def _known_as(name: Any) -> str:
    return name if isinstance(name, str) else str(name[1])


def _refuse_deep(node: nodes.Node, name: str, loops: int, deep: int) -> None:
    """Stops where Python could not compile what Jinja2 makes of the tree."""
    if isinstance(node, nodes.Macro | nodes.CallBlock | nodes.Block):
        loops = 0
    loops += isinstance(node, nodes.For)
    deep += isinstance(node, nodes.Stmt)
    for limit, depth, what in ((_DEEP_LOOPS, loops, "loops"), (_DEEP, deep, "statements")):
        if depth > limit:
            message = f"{what} stand deeper in one another than {limit}"
            raise TemplateSyntaxError(message, node.lineno, name, name)
    for child in node.iter_child_nodes():
        _refuse_deep(child, name, loops, deep)


def _let_pay(node: Any) -> None:
    """Puts a payment at the beginning of each block of statements that a node holds."""
    defaults = getattr(node, "defaults", [])
    for field in _BODIES:
        body = getattr(node, field, None)
        if not isinstance(body, list) or not body:
            continue
        if field == "body" and isinstance(node, nodes.For):
            continue  # a loop pays for each round
        line = body[0].lineno
        cost = nodes.Const(_own(body) + _own(defaults), lineno=line)
        setattr(node, field, [nodes.ExprStmt(_filter(cost, PAY), lineno=line), *body])


def _own(parts: list[Any]) -> int:
    """Units of nodes and text, without the blocks of statements below them."""
    units, todo = 0, [part for part in parts if part is not None]
    while todo:
        node = todo.pop()
        units += _NODE + _written(node) + (_BEGUN if isinstance(node, nodes.For) else 0)
        todo += node.iter_child_nodes(exclude=_BODIES)
    return units


def _written(node: nodes.Node) -> int:
    """Characters that stand in the template and are printed or looked at as they are."""
    if isinstance(node, nodes.TemplateData):
        return len(node.data)
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        return len(node.value)
    return 0


def _filter(node: Any, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def marked(output: nodes.Output, name: str, marker: str) -> Iterator[nodes.Expr]:
    """The parts of an output, each line of text and each value after a marker of its line.

    Args:
        output: What is printed.
        name: The template's name.
        marker: A pattern that takes name and line.
    """
    for part in output.nodes:
        if not isinstance(part, nodes.TemplateData):
            yield nodes.TemplateData(marker.format(name, part.lineno), lineno=part.lineno)
            yield part
            continue
        for number, line in enumerate(part.data.splitlines(keepends=True), part.lineno):
            yield nodes.TemplateData(marker.format(name, number) + line, lineno=part.lineno)
