"""Every function of Kubernetes' CEL by its name, ready for cel-python's interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from celpy.evaluation import base_functions

from trainc.lint.kubecel import addresses, formats, lists, optional, quantities, text
from trainc.lint.kubecel.grammar import ARITIES
from trainc.lint.kubecel.operators import OPERATORS
from trainc.lint.kubecel.overload import Overloads, function


def _merged(*tables: dict[str, Overloads]) -> dict[str, Overloads]:
    """Tables as one: overloads of one name from several libraries stand side by side."""
    out: dict[str, Overloads] = {}
    for table in tables:
        for name, overloads in table.items():
            out[name] = {**out.get(name, {}), **overloads}
    return out


def _functions(overloads: dict[str, Overloads]) -> dict[str, Callable[..., Any]]:
    return {name: function(name, each) for name, each in overloads.items()}


FUNCTIONS: Final = OPERATORS | _functions(
    _merged(
        text.METHODS, lists.METHODS, quantities.METHODS, quantities.FUNCTIONS, addresses.METHODS,
        addresses.FUNCTIONS, optional.METHODS, formats.METHODS,
    )
)  # fmt: skip
"""Functions and methods; a method takes its receiver first."""
NAMESPACED: Final = _functions(
    _merged(
        text.NAMESPACED, lists.NAMESPACED, addresses.NAMESPACED, optional.NAMESPACED,
        formats.NAMESPACED,
    )
)  # fmt: skip
"""Functions that are called ``NAMESPACE.NAME``."""
NAMESPACES: Final = frozenset(name.partition(".")[0] for name in NAMESPACED) | {"cel"}
MACROS: Final = frozenset(ARITIES)
"""Methods whose arguments bind names: all but the last expressions of them."""
KNOWN: Final = frozenset({*FUNCTIONS, *MACROS, *base_functions, "bind", "dyn", "has"})
"""Names that may be called, alone or on a value."""
