from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc.initializers.config import (
    Config,
    Patterns,
    StorageUri,
    load_config,
    server_url,
    settings,
)
from trainc.initializers.config import storage_uri as parsed
from trainc.initializers.failure import ConfigurationError

URI = "s3://bucket/set"


def config(**environ: str) -> Config:
    return load_config("dataset", {"STORAGE_URI": URI, **environ})


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("hf://org/name@v1/sub", ("hf", "org", "name@v1/sub")),
        ("hf://squad", ("hf", "squad", "")),
        ("S3://Bucket/Key", ("s3", "Bucket", "Key")),
        ("s3://b/k?a#b%20c", ("s3", "b", "k?a#b%20c")),
        ("file:///path", ("file", "", "path")),
        ("cache+parquet://a/b", ("cache+parquet", "a", "b")),
        ("  s3://b/k \n", ("s3", "b", "k")),
    ],
)
def test_storage_uri(text: str, want: tuple[str, str, str]) -> None:
    assert parsed(text) == StorageUri(text.strip(), *want)


@pytest.mark.parametrize("text", ["", "  ", "s3:/b", "b/k", "1s://b", "s3://", "://b", "s_3://b"])
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="STORAGE_URI"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("", True),
        ("http://minio:9000", True),
        ("https://[::1]:9000/s3/", True),
        ("minio:9000", False),
        ("minio", False),
        ("http://", False),
        ("http://[::1", False),
        ("http://minio:many", False),
        ("http://minio:70000", False),
        ("http://mi nio", False),
        ("http://minio\x01", False),
        ("ftp://minio", False),
        ("http://minio/?x=1", False),
        ("http://minio#x", False),
    ],
)
def test_a_server_is_named_by_a_url(text: str, usable: bool) -> None:
    if usable:
        assert server_url("ENDPOINT", text) == text
        return
    with pytest.raises(ConfigurationError, match="ENDPOINT"):
        server_url("ENDPOINT", text)


@pytest.mark.parametrize("scheme", ["s3", "http", "hf", "gs"])
def test_a_uri_for_the_network_is_text(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        config(STORAGE_URI=f"{scheme}://bucket/\udcff")


def test_a_path_may_be_any_bytes() -> None:
    assert config(STORAGE_URI="file:///\udcff").uri.path == "\udcff"


def test_the_folders_are_the_references() -> None:
    environ = {"STORAGE_URI": URI}
    assert load_config("dataset", environ).target == Path("/workspace/dataset")
    assert load_config("model", environ).target == Path("/workspace/model")
    assert config(TRAINC_WORKSPACE="/data").target == Path("/data/dataset")
    assert config(TRAINC_WORKSPACE="").target == Path("/workspace/dataset")


def test_a_given_uri_and_folder_stand_in() -> None:
    made = load_config("dataset", {"STORAGE_URI": URI}, uri="hf://squad", target=Path("x"))
    assert (made.uri.text, made.target) == ("hf://squad", Path("x"))


@pytest.mark.parametrize(
    ("environ", "want"),
    [
        ({}, Patterns()),
        ({"IGNORE_PATTERNS": "*.bin,*.pt"}, Patterns(ignore=("*.bin", "*.pt"))),
        ({"IGNORE_PATTERNS": " *.bin , ,*.pt, "}, Patterns(ignore=("*.bin", "*.pt"))),
        ({"IGNORE_PATTERNS": ""}, Patterns(ignore=())),
        ({"ALLOW_PATTERNS": "*.json"}, Patterns(allow=("*.json",))),
    ],
)
def test_patterns(environ: dict[str, str], want: Patterns) -> None:
    assert config(**environ).patterns == want


def test_numbers_and_switches() -> None:
    made = config(
        REFRESH="1",
        RETRY_MAX_SECONDS="1.5",
        READ_TIMEOUT_SECONDS="2",
        CONCURRENCY="3",
        VERIFY_ETAG="off",
    )
    assert (made.refresh, made.verify_etag, made.concurrency) == (True, False, 3)
    assert (made.retry_max_seconds, made.read_timeout_seconds) == (1.5, 2.0)


def test_an_empty_value_is_the_default() -> None:
    empty, none = config(REFRESH="", CONCURRENCY=" "), config()
    assert (empty.refresh, empty.concurrency) == (none.refresh, none.concurrency)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CONCURRENCY", "many", "CONCURRENCY must be a whole number, got 'many'"),
        ("CONCURRENCY", "0", "CONCURRENCY must be 1 to 256"),
        ("CONCURRENCY", "100000", "CONCURRENCY must be 1 to 256"),
        ("CONCURRENCY", "1.5", "CONCURRENCY must be a whole number"),
        ("RETRY_MAX_SECONDS", "long", "RETRY_MAX_SECONDS must be a number"),
        ("RETRY_MAX_SECONDS", "-1", "RETRY_MAX_SECONDS must be 0 to 604800 seconds"),
        ("RETRY_MAX_SECONDS", "inf", "RETRY_MAX_SECONDS must be 0 to"),
        ("READ_TIMEOUT_SECONDS", "0", "READ_TIMEOUT_SECONDS must be 0.1 to 604800 seconds"),
        ("READ_TIMEOUT_SECONDS", "nan", "READ_TIMEOUT_SECONDS must be 0.1 to"),
        ("REFRESH", "maybe", "REFRESH must be true or false"),
    ],
)
def test_what_cannot_be_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        config(**{name: value})


@dataclass(frozen=True)
class Own:
    required: str
    number: int = 3
    switch: bool = False


def test_a_providers_settings_are_its_fields_in_capitals() -> None:
    given = {"REQUIRED": "x", "NUMBER": "7", "SWITCH": "yes"}
    assert settings(Own, given) == Own("x", 7, True)
    assert settings(Own, {"REQUIRED": "x", "NUMBER": " "}) == Own("x")


def test_a_setting_that_is_needed_is_named() -> None:
    with pytest.raises(ConfigurationError, match="REQUIRED is not set"):
        settings(Own, {"REQUIRED": ""})


def test_the_environment_is_not_shown() -> None:
    assert "planted" not in repr(config(ACCESS_TOKEN="planted"))
