"""The servers, started for the tests: S3 twice, Google's and Microsoft's by emulators.

In: a folder for data and logs. Out: an endpoint on loopback that answers, ended by its own process
id. Keys are made up: nothing here is anybody's secret.
"""

from __future__ import annotations

import http.client
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.process import Process, free_ports
from tests.tools import AZURITE, FAKE_GCS, VERSITYGW

ACCESS_KEY_ID = "AKIDEXAMPLETRAINC"
SECRET_ACCESS_KEY = "hardly/a+secret=but-planted-0123456789"
REGION = "us-east-1"


@dataclass(frozen=True)
class S3:
    """An S3 server with a client that is not ours."""

    kind: str
    endpoint: str
    client: Any  # boto3's, which has no types
    folder: Path  # of the objects, where they are files

    def bucket(self, name: str) -> str:
        """Makes an empty bucket."""
        self.client.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Stores an object."""
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def environ(self, **more: str) -> dict[str, str]:
        """The settings of an initializer that reads from this server."""
        return {
            "ENDPOINT": self.endpoint,
            "ACCESS_KEY_ID": ACCESS_KEY_ID,
            "SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "REGION": REGION,
            **more,
        }


def start_versitygw(folder: Path) -> tuple[Process, S3]:
    """versitygw on a folder: each object is a file."""
    (port,) = free_ports(1)
    data = folder / "objects"
    data.mkdir()
    command = [VERSITYGW.program, "--port", f"127.0.0.1:{port}", "--health", "/up", "--quiet"]
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY_ID, "ROOT_SECRET_KEY": SECRET_ACCESS_KEY}
    process = Process("versitygw", [*command, "posix", data], folder / "versitygw.log", keys)
    process.wait_until(lambda: answers(port, "/up"))
    return process, S3("versitygw", *_client(port), data)


def start_moto(folder: Path) -> tuple[Process, S3]:
    """moto's server: objects in memory, any key is good."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = Process("moto", command, folder / "moto.log")
    process.wait_until(lambda: answers(port, "/moto-api/data.json"))
    return process, S3("moto", *_client(port), folder)


def start_fake_gcs(folder: Path) -> tuple[Process, str]:
    """fake-gcs-server: objects in memory."""
    (port,) = free_ports(1)
    command = [FAKE_GCS.program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    url = f"http://127.0.0.1:{port}"
    more = ["-backend", "memory", "-external-url", url, "-public-host", f"127.0.0.1:{port}"]
    process = Process("fake-gcs-server", [*command, *more], folder / "gcs.log")
    process.wait_until(lambda: answers(port, "/_internal/healthcheck"))
    return process, url


def start_azurite(folder: Path) -> tuple[Process, str]:
    """Azurite's blob service: objects in a folder."""
    (port,) = free_ports(1)
    command = [AZURITE.program, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    more = ["--location", folder, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    process = Process("azurite", [*command, *more], folder / "azurite.log")
    process.wait_until(lambda: answers(port, "/devstoreaccount1"))
    return process, f"http://127.0.0.1:{port}/devstoreaccount1"


def answers(port: int, path: str) -> bool:
    """Whether somebody speaks HTTP there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def s3_client(endpoint: str) -> Any:
    """boto3's client, which adds no checksums of its own unless told to."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            retries={"total_max_attempts": 3},
        ),
    )


def _client(port: int) -> tuple[str, Any]:
    endpoint = f"http://127.0.0.1:{port}"
    return endpoint, s3_client(endpoint)
