from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainc.manifest.index import Index, load
from trainc.manifest.path import path
from trainc.plan.plan import Object


def an_object(api_version: str, kind: str, name: str, namespace: str = "") -> Object:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    return Object(manifest, "job.yaml", (namespace, name))


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    each: Object
    want: str


@pytest.mark.parametrize(
    "case",
    [
        TestCase(
            name="an object with a group",
            each=an_object("jobset.x-k8s.io/v1alpha2", "JobSet", "mnist", "team-a"),
            want="team-a/jobset.jobset.x-k8s.io-mnist.yaml",
        ),
        TestCase(
            name="an object of the core group",
            each=an_object("v1", "ConfigMap", "mnist-hosts", "team-a"),
            want="team-a/configmap-mnist-hosts.yaml",
        ),
        TestCase(
            name="an object without namespace",
            each=an_object("rbac.authorization.k8s.io/v1", "ClusterRole", "cache"),
            want="_cluster/clusterrole.rbac.authorization.k8s.io-cache.yaml",
        ),
        TestCase(
            name="a name with reserved characters and capitals",
            each=an_object("rbac.authorization.k8s.io/v1", "Role", "trainc:Cache%", "a"),
            want="a/role.rbac.authorization.k8s.io-trainc%3a%43ache%25.yaml",
        ),
        TestCase(
            name="a name that would lead out of the folder",
            each=an_object("v1", "ConfigMap", "../../x", "../etc"),
            want="%2e.%2fetc/configmap-..%2f..%2fx.yaml",
        ),
        TestCase(
            name="a namespace that is a device on Windows",
            each=an_object("v1", "ConfigMap", "nul", "con"),
            want="%63on/configmap-nul.yaml",
        ),
    ],
    ids=lambda case: case.name,
)
def test_path_names_the_file_of_an_object(case: TestCase) -> None:
    assert path(case.each) == case.want


NAMES = st.text(min_size=1, max_size=300)


@given(NAMES, NAMES)
def test_any_name_gives_a_safe_path_the_index_accepts(name: str, namespace: str) -> None:
    file = path(an_object("a.b/v1", "PodGroup", name, namespace))
    folder, _, last = file.partition("/")
    assert max(len(folder), len(last)) <= 255
    assert file == file.lower() and folder.isascii() and last.isascii()
    index = Index(files={file: "0" * 64})
    assert load(index.dump()) == index


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_two_objects_never_share_a_file(one: tuple[str, str], other: tuple[str, str]) -> None:
    paths = {path(an_object("v1", "Secret", name, namespace)) for name, namespace in (one, other)}
    assert len(paths) == len({one, other})


def test_names_that_are_too_long_stay_apart() -> None:
    names = ["a" * 253 + end for end in ("b", "c")]
    one, other = (path(an_object("v1", "ConfigMap", name, "n")) for name in names)
    assert one != other
    assert len(one) == len("n/") + 255
