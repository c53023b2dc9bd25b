from __future__ import annotations

from pathlib import Path

import pytest

from trainc.initializers.config import Ancestor, Config, storage_uri
from trainc.initializers.failure import ConfigurationError
from trainc.initializers.provider import discover, provider_of
from trainc.names import DATASET_SCHEMES, MODEL_SCHEMES


def config(uri: str, ancestor: Ancestor = "dataset") -> Config:
    return Config(storage_uri(uri), ancestor, Path("/t"))


def test_the_compilers_lint_knows_what_the_image_can_do() -> None:
    found = discover()
    assert tuple(scheme for scheme, each in found.items() if each.dataset) == DATASET_SCHEMES
    assert tuple(scheme for scheme, each in found.items() if each.model) == MODEL_SCHEMES


@pytest.mark.parametrize("scheme", DATASET_SCHEMES)
def test_every_scheme_has_its_provider(scheme: str) -> None:
    provider, opened = provider_of(config(f"{scheme}://a/b"))
    assert scheme in provider.schemes
    assert opened is provider.dataset


def test_a_scheme_nobody_serves_names_the_others() -> None:
    with pytest.raises(ConfigurationError, match=r"from ftp://; known: abfs, .*, az, .*, s3, s3a"):
        provider_of(config("ftp://a/b"))


@pytest.mark.parametrize(
    ("scheme", "meant"), [("htps", "https"), ("s3b", "s3"), ("minio", "s3"), ("google", "gs")]
)
def test_a_scheme_that_is_nearly_one_is_recognized(scheme: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"did you mean {meant}://\?"):
        provider_of(config(f"{scheme}://a/b"))


def test_a_module_that_is_no_scheme_is_none() -> None:
    with pytest.raises(ConfigurationError, match="no provider"):
        provider_of(config("sys://a/b"))


def test_there_is_no_cache_of_models() -> None:
    with pytest.raises(ConfigurationError, match="no provider fetches a model from cache://"):
        provider_of(config("cache://a/b", "model"))
