"""The grammar of cel-python with CEL's optional syntax: ``a.?b``, ``a[?b]``, ``[?a]``, ``{?a: b}``.

cel-python keeps one parser for everybody; ours is another, so that no other user of it is changed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import celpy
from celpy.celparser import CELParseError, CELParser
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

# A rule of the grammar that cel-python comes with -> what stands there instead.
_CHANGES: Final = (
    (
        "member         : member_dot |",
        "member         : member_dot | member_opt_dot | member_opt_index |",
    ),
    (
        'member_index   : member "[" expr "]"\n',
        'member_index   : member "[" expr "]"\n'
        'member_opt_dot : member ".?" IDENT\n'
        'member_opt_index : member "[" "?" expr "]"\n'
        'opt_item       : "?" expr\n',
    ),
    (
        'exprlist       : expr ("," expr)*',
        'exprlist       : (expr | opt_item) ("," (expr | opt_item))* [","]',
    ),
    (
        'mapinits       : expr ":" expr ("," expr ":" expr)*',
        'mapinits       : (expr | opt_item) ":" expr ("," (expr | opt_item) ":" expr)* [","]',
    ),
)

# Macros -> how many arguments they take; the first is the name that they bind.
ARITIES: Final = {
    "all": (2, 3),
    "exists": (2, 3),
    "existsOne": (3,),
    "exists_one": (2, 3),
    "filter": (2,),
    "map": (2, 3),
    "optFlatMap": (2,),
    "optMap": (2,),
    "reduce": (4,),
    "sortBy": (2,),
    "transformList": (3, 4),
    "transformMap": (3, 4),
    "transformMapEntry": (3, 4),
}


def parse(text: str) -> Tree[Token]:
    """The tree of an expression.

    Raises:
        CELParseError: It is none; with line and column where they can be said.
    """
    try:
        tree = _parser().parse(text)
    except (UnexpectedToken, UnexpectedCharacters) as error:
        message = error.get_context(text)
        raise CELParseError(message, line=error.line, column=error.column) from error
    for name in ("ident_arg", "member_dot_arg", "dot_ident_arg"):
        for call in tree.find_data(name):
            _check(call)
    return tree


def _check(call: Tree[Token]) -> None:
    """Refuses a ``?`` among arguments, and a macro that binds no name."""
    arguments = call.children[-1]
    parts = arguments.children if isinstance(arguments, Tree) else []
    place = {"line": call.meta.line, "column": call.meta.column}
    if any(map(_is_optional, parts)):
        raise CELParseError("an argument has no ?", **place)
    arities = ARITIES.get(str(call.children[1])) if call.data == "member_dot_arg" else None
    if arities and (len(parts) not in arities or not identifier(parts[0])):
        raise CELParseError("a macro needs a name and an expression", **place)


def _is_optional(child: object) -> bool:
    return isinstance(child, Tree) and child.data == "opt_item"


@cache
def _parser() -> Lark:
    grammar = Path(celpy.__file__).with_name("cel.lark").read_text(encoding="utf-8")
    for old, new in _CHANGES:
        assert old in grammar, f"cel-python's grammar has changed: {old}"
        grammar = grammar.replace(old, new)
    return Lark(
        grammar,
        parser="lalr",
        start="expr",
        g_regex_flags=re.M,
        lexer_callbacks={"IDENT": CELParser.ambiguous_literals},
        propagate_positions=True,
        maybe_placeholders=False,
        priority="invert",
    )


def identifier(tree: object) -> str:
    """The name that an expression is, empty where it is more than a name."""
    while isinstance(tree, Tree) and len(tree.children) == 1:
        if tree.data == "ident":
            return str(tree.children[0])
        tree = tree.children[0]
    return ""
