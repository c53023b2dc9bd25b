"""cel-python's evaluator with optional syntax, Kubernetes' macros and functions of a namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from celpy.celtypes import IntType, ListType, MapType
from celpy.evaluation import CELEvalError, Evaluator
from lark import Tree

from trainc.lint.kubecel.functions import NAMESPACED, NAMESPACES
from trainc.lint.kubecel.grammar import identifier
from trainc.lint.kubecel.macros import MACROS, Bind, Node
from trainc.lint.kubecel.optional import NONE, Optional
from trainc.lint.kubecel.overload import no_overload


class OptionalItem:
    """An item ``?x`` of a list or map literal: it is left out where x has no value."""

    def __init__(self, value: Any) -> None:
        """Takes the value behind the ``?``."""
        self.value = value

    def __hash__(self) -> int:
        """By identity, as a key of a map under construction."""
        return id(self)


class KubernetesEvaluator(Evaluator):
    """Evaluates what ``grammar.parse`` has read."""

    def member_opt_dot(self, tree: Node) -> Any:
        """``a.?b``: the field as an optional."""
        receiver, name = tree.children
        return self._chosen(self.visit(receiver), str(name))

    def member_opt_index(self, tree: Node) -> Any:
        """``a[?b]``: the item as an optional."""
        receiver, key = self.visit_children(tree)
        return self._chosen(receiver, key)

    def opt_item(self, tree: Node) -> Any:
        """``?x`` of a literal."""
        value = self.visit(tree.children[0])
        return value if isinstance(value, CELEvalError) else OptionalItem(value)

    def member_dot(self, tree: Node) -> Any:
        """A field; of an optional, an optional field."""
        receiver = self.visit(tree.children[0])
        if isinstance(receiver, Optional):
            return self._chosen(receiver, str(tree.children[1]))
        return super().member_dot(_with_receiver(tree, receiver))

    def member_index(self, tree: Node) -> Any:
        """An item; of an optional, an optional item."""
        receiver = self.visit(tree.children[0])
        if isinstance(receiver, Optional):
            return self._chosen(receiver, self.visit(tree.children[1]))
        return super().member_index(_with_receiver(tree, receiver))

    def _chosen(self, receiver: Any, key: Any) -> Any:
        """The item of a map or list as an optional, none where it is not there."""
        if isinstance(receiver, CELEvalError):
            return receiver
        if isinstance(key, CELEvalError):
            return key
        if isinstance(receiver, Optional):
            return self._chosen(receiver.value, key) if receiver.present else NONE
        if isinstance(receiver, MapType):
            return Optional(receiver[key]) if key in receiver else NONE
        if isinstance(receiver, ListType) and isinstance(key, IntType):
            return Optional(receiver[key]) if 0 <= key < len(receiver) else NONE
        return NONE

    def exprlist(self, tree: Node) -> Any:
        """Arguments, or the items of a list: those with ``?`` where they have a value."""
        values = super().exprlist(tree)
        if not isinstance(values, ListType):
            return values
        if not any(isinstance(value, OptionalItem) for value in values):
            return values
        out: list[Any] = []
        for value in values:
            if not isinstance(value, OptionalItem):
                out.append(value)
            elif not isinstance(value.value, Optional):
                return no_overload("[?_]", (value.value,))
            elif value.value.present:
                out.append(value.value.value)
        return ListType(out)

    def mapinits(self, tree: Node) -> Any:
        """The entries of a map: those with ``?`` where their value has one."""
        children = self.visit_children(tree)
        out: dict[Any, Any] = {}
        for key, value in zip(children[0::2], children[1::2], strict=True):
            for each in (key, value):
                if isinstance(each, CELEvalError):
                    return each
            name, item = key, value
            if isinstance(key, OptionalItem):
                if not isinstance(value, Optional):
                    return no_overload("{?_}", (value,))
                if not value.present:
                    continue
                name, item = key.value, value.value
            if name in out:
                raise ValueError(f"Duplicate key {name!r}")
            out[name] = item
        return MapType(out)

    def member_dot_arg(self, tree: Node) -> Any:
        """A method, a macro, or a function of a namespace."""
        receiver, name = tree.children[0], str(tree.children[1])
        arguments = tree.children[2].children if len(tree.children) > 2 else []
        space = identifier(receiver)
        if space in NAMESPACES:
            if (space, name) == ("cel", "bind"):
                return self._bound(arguments)
            function = NAMESPACED.get(f"{space}.{name}")
            if function is not None:
                return self._called(function, arguments)
        macro = MACROS.get((name, len(arguments)))
        if macro is not None:
            value = self.visit(receiver)
            return value if isinstance(value, CELEvalError) else macro(self, value, arguments)
        if name in ("min", "max"):  # macros of cel-python, functions of CEL
            return self._called(self.activation.resolve_function(name), [receiver, *arguments])
        return super().member_dot_arg(tree)

    def _called(self, function: Callable[..., Any], arguments: Iterable[Node]) -> Any:
        return function(*map(self.visit, arguments))

    def _bound(self, arguments: list[Node]) -> Any:
        """``cel.bind(name, value, body)``."""
        if len(arguments) != 3 or not (name := identifier(arguments[0])):
            return no_overload("cel.bind", ())
        value = self.visit(arguments[1])
        return value if isinstance(value, CELEvalError) else self.body(arguments[2])({name: value})

    def body(self, tree: Node) -> Bind:
        """The body of a macro; an error of it is its value."""
        nested = self.sub_evaluator(tree)

        def evaluate(names: Mapping[str, Any]) -> Any:
            try:
                return nested.evaluate(dict(names))
            except CELEvalError as error:
                return error

        return evaluate


def _with_receiver(tree: Node, value: Any) -> Node:
    """The tree with its receiver evaluated already: once, and not once more."""
    return Tree(tree.data, [_Known("known", [value]), *tree.children[1:]], tree.meta)


class _Known(Tree[Any]):
    """A value in the place of a tree."""


def _known(self: KubernetesEvaluator, tree: Node) -> Any:
    return tree.children[0]


KubernetesEvaluator.known = _known  # type: ignore[attr-defined]  # lark finds it by its name
