"""The JSON schema engine, imported without the 10 ms that its build date costs.

jsonschema-rs reads the date of its own build with ``email.utils`` while it is imported; that pulls
in sockets, calendars and locales, a tenth of all the time a small build takes. Nobody asks for the
date, so for that moment a stand-in answers. Whoever else imports ``email.utils`` just then gets the
real functions through it.

It also imports ``decimal``, and panics where a signal arrives meanwhile: that one comes first.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

_NAME: Final = "email.utils"


class _StandIn(ModuleType):
    """``email.utils``, loaded when something other than the build date is wanted of it."""

    def parsedate_to_datetime(self, text: str) -> None:
        """Gives no date."""

    def __getattr__(self, name: str) -> Any:
        """Gives what the real module has."""
        if sys.modules.get(_NAME) is self:
            del sys.modules[_NAME]
        return getattr(import_module(_NAME), name)


import_module("decimal")
if _NAME not in sys.modules:
    _stand_in = _StandIn(_NAME)
    sys.modules[_NAME] = _stand_in
    try:
        from jsonschema_rs import Draft4Validator, RegexOptions
    finally:
        if sys.modules.get(_NAME) is _stand_in:
            del sys.modules[_NAME]
else:
    from jsonschema_rs import Draft4Validator, RegexOptions

__all__ = ("Draft4Validator", "RegexOptions")
