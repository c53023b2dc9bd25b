import json
from itertools import permutations

import yaml

from trainc.errors import Mark
from trainc.manifest.order import doubles, in_order
from trainc.manifest.stream import json_list, yaml_stream
from trainc.plan.plan import Object

KINDS = (
    "ServiceAccount Role RoleBinding ConfigMap Secret PodGroup Service LeaderWorkerSet "
    "JobSet TrainJob"
)


def an_object(kind: str, job: tuple[str, str], name: str = "", origin: str = "a.yaml") -> Object:
    manifest = {
        "kind": kind,
        "apiVersion": "v1",
        "metadata": {"namespace": job[0], "name": name or job[1]},
    }
    return Object(manifest, origin, job)


def test_objects_stand_by_namespace_then_trainjob_then_as_a_cluster_takes_them() -> None:
    wanted = [
        an_object(kind, job)
        for job in (("a", "x"), ("a", "y"), ("b", "a"))
        for kind in KINDS.split()
    ]
    assert list(in_order(reversed(wanted))) == wanted


def test_the_order_of_making_does_not_matter() -> None:
    objects = [an_object("ConfigMap", ("a", "x"), name) for name in "cab"]
    orders = [in_order(each) for each in permutations(objects)]
    assert all(order == orders[0] for order in orders)


def test_two_objects_of_one_name_are_an_error_that_names_both_makers() -> None:
    one = an_object("ConfigMap", ("a", "x"), "same")
    other = an_object("ConfigMap", ("a", "y"), "same")
    made = [one, an_object("Secret", ("a", "x"), "same"), other]
    (problem,) = doubles(made, lambda job: Mark("/".join(job), 5, 9))
    assert problem.mark == Mark("a/y", 5, 9)
    assert problem.severity == "error"
    assert "ConfigMap a/same" in problem.message
    assert "a/x and a/y" in problem.message


def test_two_trainjobs_of_one_name_are_told_elsewhere() -> None:
    made = [an_object(kind, ("a", "x")) for kind in ("Secret", "JobSet", "Secret", "JobSet")]
    assert doubles(made) == []
    assert len(doubles(made[:3])) == 1


def test_a_stream_has_separators_between_and_origins_above() -> None:
    objects = [
        an_object("Secret", ("a", "x")),
        an_object("JobSet", ("a", "x"), origin="b\n\x1b.yaml"),
    ]
    text = "".join(yaml_stream(objects))
    lines = text.splitlines()
    assert lines[0] == "# from: a.yaml"
    assert lines[lines.index("---") + 1] == "# from: b\\n\\x1b.yaml"
    assert list(yaml.safe_load_all(text)) == [each.manifest for each in objects]
    assert "#" not in "".join(yaml_stream(objects, comments=False))


def test_a_json_list_holds_the_same_objects_in_kubernetes_order() -> None:
    objects = [an_object("Secret", ("a", "x")), an_object("JobSet", ("a", "x"))]
    text = "".join(json_list(objects))
    assert json.loads(text) == [each.manifest for each in objects]
    assert [list(each) for each in json.loads(text)] == [["apiVersion", "kind", "metadata"]] * 2
    assert json.loads("".join(json_list([]))) == []
