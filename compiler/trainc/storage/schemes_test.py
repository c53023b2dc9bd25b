from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.storage.schemes import AzurePlace, azure_place, canonical


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    host: str
    want: AzurePlace
    endpoint: str = ""


@pytest.mark.parametrize(
    "case",
    [
        TestCase("c", AzurePlace("c")),
        TestCase("c@a", AzurePlace("c", "a", "core.windows.net")),
        TestCase("c@a.dfs.core.windows.net", AzurePlace("c", "a", "core.windows.net")),
        TestCase("c@a.blob.core.windows.net", AzurePlace("c", "a", "core.windows.net")),
        TestCase(
            "c@a.dfs.core.chinacloudapi.cn",
            AzurePlace("c", "a", "core.chinacloudapi.cn"),
            "https://a.blob.core.chinacloudapi.cn",
        ),
        TestCase(
            "w@onelake.dfs.fabric.microsoft.com",
            AzurePlace("w", "onelake", "fabric.microsoft.com"),
            "https://onelake.blob.fabric.microsoft.com",
        ),
    ],
    ids=lambda case: case.host,
)
def test_what_an_azure_host_names(case: TestCase) -> None:
    place = azure_place(case.host)
    assert place == case.want
    assert place.endpoint == case.endpoint


def test_an_at_sign_without_an_account_is_refused() -> None:
    with pytest.raises(ValueError, match="no account"):
        azure_place("c@")


@pytest.mark.parametrize(
    ("scheme", "want"),
    [("s3a", "s3"), ("S3N", "s3"), ("gcs", "gs"), ("abfss", "az"), ("wasbs", "az"), ("hf", "hf")],
)
def test_other_names_of_schemes(scheme: str, want: str) -> None:
    assert canonical(scheme) == want
