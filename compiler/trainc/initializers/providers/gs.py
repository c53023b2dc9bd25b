"""``gs://BUCKET/PREFIX``: Google Cloud Storage.

In: ``SERVICE_ACCOUNT_KEY`` (the JSON text) or what Google's libraries would find
(``GOOGLE_APPLICATION_CREDENTIALS``, workload identity), ``ANONYMOUS``, ``ENDPOINT`` (an emulator,
which asks for no credentials). Out: a remote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from trainc.initializers.config import Config, server_url, settings
from trainc.initializers.failure import ConfigurationError
from trainc.initializers.objectstore import StoreRemote, client_options, no_retries, opening
from trainc.initializers.provider import Provider


@dataclass(frozen=True)
class Settings:
    """The environment of this scheme.

    Attributes:
        service_account_key: A service account's key, as JSON.
        endpoint: An emulator's URL.
        anonymous: Sign nothing.
    """

    service_account_key: str = ""
    endpoint: str = ""
    anonymous: bool = False


def remote(config: Config) -> StoreRemote:
    """What the URI names."""
    from obstore.store import GCSStore

    bucket = config.uri.host
    if not bucket:
        raise ConfigurationError("the URI names no bucket: gs://BUCKET/PREFIX")
    given = settings(Settings, config.environ)
    server_url("ENDPOINT", given.endpoint)
    options = client_options(given.endpoint, config.read_timeout_seconds)
    with opening(f"gs://{bucket}"):
        store = GCSStore(
            bucket, client_options=options, retry_config=no_retries(), **_credentials(given)
        )
    return StoreRemote(lambda: store, config.uri.path, f"gs://{bucket}", config.verify_etag)


def _credentials(given: Settings) -> dict[str, Any]:
    if given.endpoint:
        key = {
            "gcs_base_url": given.endpoint,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        return {"service_account_key": json.dumps(key)}
    if given.anonymous:
        return {"skip_signature": True}
    return {"service_account_key": given.service_account_key} if given.service_account_key else {}


PROVIDER: Final = Provider(
    schemes=("gs", "gcs"), dataset=remote, model=remote, identity=("ENDPOINT",), needs=("obstore",)
)
