"""Whole numbers as text.

``str.isdigit`` takes digits of every script and any length, and ``int`` refuses more than 4,300.
"""

import re
from typing import Final

COUNT: Final = re.compile(r"[0-9]{1,10}")
"""Matches, with ``fullmatch``, the text of a count; a field of 32 bits has at most ten digits."""
