from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from trainc.storage.aws import AwsSettingError, AwsSettings, aws_settings, is_amazon
from trainc.storage.credentials import KeySettings, find_credentials, key_settings

CONFIG = """
[default]
region = eu-north-1
[profile minio]
endpoint_url = http://minio.lab:9000
region = lab
s3 =
    addressing_style = virtual
[profile services]
services = lab
endpoint_url = http://everything.lab
[services lab]
s3 =
    endpoint_url = http://s3.lab:9000/
sts =
    endpoint_url = http://sts.lab
[profile ignoring]
endpoint_url = http://minio.lab:9000
ignore_configured_endpoint_urls = true
[profile dangling]
services = nowhere
[profile fips]
use_fips_endpoint = true
use_dualstack_endpoint = true
[profile odd]
s3 =
    addressing_style = sideways
"""


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    want: AwsSettings
    environ: dict[str, str] = field(default_factory=dict)
    profile: str = ""
    config: str = CONFIG


@pytest.mark.parametrize(
    "case",
    [
        TestCase("nothing", AwsSettings(), config=""),
        TestCase("the default profile", AwsSettings(region="eu-north-1")),
        TestCase(
            "the service's variable before the general one",
            AwsSettings("http://s3", "AWS_ENDPOINT_URL_S3", "r"),
            {
                "AWS_ENDPOINT_URL": "http://all",
                "AWS_ENDPOINT_URL_S3": "http://s3/",
                "AWS_REGION": "r",
            },
        ),
        TestCase(
            "the general variable before the profile's",
            AwsSettings("http://all", "AWS_ENDPOINT_URL", "lab", "virtual"),
            {"AWS_ENDPOINT_URL": "http://all"},
            "minio",
        ),
        TestCase(
            "our own before all",
            AwsSettings("http://own", "ENDPOINT", "own"),
            {"ENDPOINT": "http://own", "REGION": "own", "AWS_ENDPOINT_URL_S3": "http://s3"},
        ),
        TestCase(
            "the profile's",
            AwsSettings(
                "http://minio.lab:9000",
                "endpoint_url of the AWS profile 'minio'",
                "lab",
                "virtual",
            ),
            profile="minio",
        ),
        TestCase(
            "a services section before the profile's",
            AwsSettings("http://s3.lab:9000", "endpoint_url of the AWS profile 'services'"),
            profile="services",
        ),
        TestCase("a profile that ignores endpoints", AwsSettings(), profile="ignoring"),
        TestCase(
            "endpoints ignored, of variables too",
            AwsSettings(region="lab", addressing_style="virtual"),
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_ENDPOINT_URL": "http://all"},
            "minio",
        ),
        TestCase(
            "a variable overrules the profile that ignores",
            AwsSettings("http://all", "AWS_ENDPOINT_URL"),
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false", "AWS_ENDPOINT_URL": "http://all"},
            "ignoring",
        ),
        TestCase("a profile's switches", AwsSettings(fips=True, dualstack=True), profile="fips"),
        TestCase(
            "requester pays, as GDAL says it",
            AwsSettings(requester_pays=True),
            {"AWS_REQUEST_PAYER": "requester"},
            config="",
        ),
        TestCase(
            "requester pays, as object_store says it",
            AwsSettings(requester_pays=True),
            {"AWS_REQUEST_PAYER": "true"},
            config="",
        ),
        TestCase(
            "our own word on who pays",
            AwsSettings(),
            {"REQUESTER_PAYS": "false", "AWS_REQUEST_PAYER": "requester"},
            config="",
        ),
    ],
    ids=lambda case: case.name,
)
def test_what_is_read(case: TestCase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home(monkeypatch, tmp_path, case.config, case.profile)
    assert aws_settings(case.environ) == case.want


def home(monkeypatch: pytest.MonkeyPatch, folder: Path, config: str, profile: str = "") -> None:
    """The process's own environment, with this config and nothing else of Amazon's."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    if config:
        (folder / "config").write_text(config)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)


@pytest.mark.parametrize(
    ("environ", "profile", "says"),
    [
        ({"AWS_ENDPOINT_URL_S3": "minio:9000"}, "", "AWS_ENDPOINT_URL_S3 'minio:9000' is not of"),
        ({"AWS_ENDPOINT_URL": "http://u:p@host"}, "", "AWS_ENDPOINT_URL holds a user"),
        ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "perhaps"}, "", "true or false"),
        ({"AWS_REQUEST_PAYER": "you"}, "", "AWS_REQUEST_PAYER"),
        ({"PATH_STYLE": "x"}, "", "PATH_STYLE"),
        ({}, "nobody", "nobody"),
        ({}, "dangling", "services nowhere"),
        ({}, "odd", "addressing_style 'sideways'"),
    ],
)
def test_what_is_refused(
    environ: dict[str, str],
    profile: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    home(monkeypatch, tmp_path, CONFIG, profile)
    with pytest.raises(AwsSettingError, match=says):
        aws_settings(environ)


@pytest.mark.parametrize(
    ("settings", "region", "want"),
    [
        (AwsSettings(), "eu-west-1", "https://s3.eu-west-1.amazonaws.com"),
        (AwsSettings(), "cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"),
        (AwsSettings(fips=True), "us-gov-west-1", "https://s3-fips.us-gov-west-1.amazonaws.com"),
        (
            AwsSettings(fips=True, dualstack=True),
            "us-east-1",
            "https://s3-fips.dualstack.us-east-1.amazonaws.com",
        ),
        (AwsSettings("http://minio:9000"), "us-east-1", "http://minio:9000"),
    ],
)
def test_the_server(settings: AwsSettings, region: str, want: str) -> None:
    assert settings.server(region) == want


@pytest.mark.parametrize(
    ("endpoint", "style", "want"),
    [
        ("", "", False),
        ("http://minio:9000", "", True),
        ("http://minio:9000", "virtual", False),
        ("https://s3.eu-west-1.amazonaws.com", "", False),
        ("", "path", True),
    ],
)
def test_where_the_bucket_stands(endpoint: str, style: str, want: bool) -> None:
    assert AwsSettings(endpoint, addressing_style=style).bucket_in_path is want


def test_a_name_that_only_looks_like_amazons_is_none() -> None:
    assert not is_amazon("https://amazonaws.com.example")
    assert is_amazon("https://s3.us-east-1.amazonaws.com")


def test_keys_of_another_server_assume_no_role_at_amazon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name, raising=False)
    keys = KeySettings("minio", "secret", role_arn="arn:aws:iam::123456789012:role/reader")
    with pytest.raises(AwsSettingError, match="AWS_ENDPOINT_URL_STS"):
        find_credentials(keys, AwsSettings("http://minio:9000"))


def test_a_profile_with_a_chain_of_roles_gives_refreshing_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = (
        "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n"
        "[profile reader]\nrole_arn = arn:aws:iam::123456789012:role/reader\n"
        "source_profile = base\nregion = eu-west-1\n"
    )
    home(monkeypatch, tmp_path, config, "reader")
    found = find_credentials(key_settings({}), aws_settings({}))
    assert found.method == "assume-role"  # asked for when they are used


def test_half_a_pair_of_keys_is_refused() -> None:
    with pytest.raises(AwsSettingError, match="belong together"):
        key_settings({"ACCESS_KEY_ID": "a"})
