"""Posts to the endpoint of the status protocol (KEP-2779): straight there, and nowhere else.

In: an address, a body, a token. Out: nothing, or what the library raises. By no proxy: one that
downloads need does not know the cluster's own services. No redirect is followed: the token would
follow it too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

_TIMEOUT: Final = 5.0  # seconds


def post(url: str, body: object, token: str, ca_file: str) -> None:
    """Posts ``body`` as JSON.

    Args:
        url: The job's own, as its environment has it.
        body: ``UpdateTrainJobStatusRequest``.
        token: Of the pod; empty to send none.
        ca_file: Authorities that vouch for the server; empty for those of the system.

    Raises:
        OSError: There is no answer, or it is none of success.
        ValueError: The address is none.
    """
    import urllib.request  # most pods have no endpoint to read it in for

    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with _opener(url, ca_file).open(request, timeout=_TIMEOUT) as response:
        response.read()


def _opener(url: str, ca_file: str) -> OpenerDirector:
    """Opens requests as they are."""
    import ssl
    import urllib.request as library

    opener = library.OpenerDirector()
    opener.add_handler(library.HTTPHandler())
    if url.startswith("https://"):
        context = ssl.create_default_context(cafile=ca_file or None)
        opener.add_handler(library.HTTPSHandler(context=context))
    for handler in (
        library.UnknownHandler(),
        library.HTTPDefaultErrorHandler(),
        library.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
