"""What Flux's substitution of variables would change in a text.

In: text of a manifest. Out: whether ``${VAR}`` stands there; ``$${VAR}`` is the escape, which Flux
turns into ``${VAR}``.
"""

from __future__ import annotations


def substituted(text: str) -> bool:
    """Whether Flux would replace a variable of this text by its value, or by nothing."""
    return "${" in text.replace("$${", "")
