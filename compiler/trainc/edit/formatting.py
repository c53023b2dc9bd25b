"""The format of trainc's own YAML: key order and indentation, and nothing else.

In: a file. Out: its text as it should be. Only documents that are for trainc are touched:
TrainJobs, runtimes, lists of them, patches of an overlay, ``trainc.yaml`` and ``overlay.yaml``.
"""

from __future__ import annotations

from trainc.edit.layout import Layout
from trainc.edit.order import order_of
from trainc.edit.outline import UnreadableError, outlines
from trainc.edit.text import Text
from trainc.edit.verify import refused, verify_equal


def formatted(text: Text) -> str:
    """The text in format; what it means and every letter of it stay.

    Raises:
        TraincError: It cannot be brought into format without changing its meaning.
    """
    orders = {document.index: order_of(document) for document in text.documents}
    if not any(orders.values()):
        return text.text
    try:
        found = [(each, orders.get(index)) for index, each in enumerate(outlines(text.text))]
        new = Layout(text.text).text(found)
    except (UnreadableError, RecursionError) as error:
        raise refused(text) from error
    if new != text.text:
        verify_equal(text, new)
    return new
