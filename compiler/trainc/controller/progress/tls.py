"""The progress server's certificate: files that may change at any time, and a first one if wanted.

In: a folder with ``tls.crt``, ``tls.key`` and ``ca.crt``, as a mounted Secret has them. Out: a TLS
context that follows the files, so a new certificate needs no restart; and the CA for the pods.
"""

from __future__ import annotations

import base64
import logging
import os
import ssl
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from trainc.controller.api import Api
from trainc.controller.paths import SECRETS, collection
from trainc.kube.keys import tls_pair
from trainc.names import CA_KEY, MANAGED_BY_LABEL, TRAINC

logger = logging.getLogger(__name__)


class Certificate:
    """The certificate in a folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self._folder = folder
        self._loaded: tuple[int, ...] = ()
        self._missing = ""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])

    def authority(self) -> str:
        """The CA's certificate (PEM): ``ca.crt``, or the certificate itself; empty without both."""
        for name in (CA_KEY, "tls.crt"):
            try:
                return (self._folder / name).read_text()
            except OSError:
                continue
        return ""

    def refresh(self) -> bool:
        """Loads the files if they changed; whether a certificate is loaded."""
        chain, key = (self._folder / name for name in ("tls.crt", "tls.key"))
        try:
            found = tuple(os.stat(file).st_mtime_ns for file in (chain, key))
            if found != self._loaded:
                # A chain without its key would be kept: try it first where it does no harm.
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
                self.context.load_cert_chain(chain, key)
                logger.info("loaded the certificate of %s", self._folder)
                self._loaded = found
            self._missing = ""
        except OSError as error:  # ssl.SSLError is one: the files are being replaced
            if str(error) != self._missing:  # looked for many times a minute
                logger.info("no certificate in %s so far: %s", self._folder, error)
            self._missing = str(error)
        return bool(self._loaded)


def offer(api: Api, namespace: str, name: str, hosts: Sequence[str], now: datetime) -> None:
    """Creates the Secret that is mounted as the certificate's folder, unless it is there.

    Raises:
        ApiError: if it could not be created.
    """
    pair = tls_pair(hosts, now)
    data = {CA_KEY: pair.ca, "tls.crt": pair.certificate, "tls.key": pair.key}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {MANAGED_BY_LABEL: TRAINC}},
        "type": "kubernetes.io/tls",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }
    if api.create(collection(SECRETS, namespace), secret):
        logger.info("made Secret %s/%s", namespace, name)
