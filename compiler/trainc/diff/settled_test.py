"""An object is compared as a cluster keeps it."""

from __future__ import annotations

import copy
from typing import Any

from trainc.diff.settled import settled

Json = dict[str, Any]
JOBSET: Json = {
    "apiVersion": "jobset.x-k8s.io/v1alpha2",
    "kind": "JobSet",
    "metadata": {
        "name": "m",
        "namespace": "n",
        "uid": "1",
        "annotations": {"trainc.dev/job": "{}"},
    },
    "spec": {
        "replicatedJobs": [
            {
                "name": "node",
                "template": {
                    "spec": {
                        "template": {
                            "spec": {
                                "containers": [
                                    {"name": "node", "resources": {"limits": {"cpu": "1000m"}}}
                                ]
                            }
                        }
                    }
                },
            }
        ]
    },
    "status": {"restarts": 1},
}


def test_defaults_are_in_words_and_what_is_the_clusters_is_gone() -> None:
    before = copy.deepcopy(JOBSET)
    found = settled(JOBSET)
    assert before == JOBSET
    assert "status" not in found and "uid" not in found["metadata"]
    spec = found["spec"]
    assert spec["successPolicy"] == {"operator": "All"}
    assert spec["startupPolicy"] == {"startupPolicyOrder": "AnyOrder"}
    assert spec["network"] == {"enableDNSHostnames": True, "publishNotReadyAddresses": True}
    (job,) = spec["replicatedJobs"]
    assert (job["replicas"], job["groupName"]) == (1, "default")
    template = job["template"]["spec"]
    assert template["completionMode"] == "Indexed"
    assert template["template"]["spec"]["restartPolicy"] == "OnFailure"
    (container,) = template["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "1"}


def test_settling_twice_is_settling_once() -> None:
    once = settled(JOBSET)
    assert settled(once) == once


def test_a_default_of_the_webhook_that_was_printed_is_taken_away_with_its_words() -> None:
    worded = copy.deepcopy(JOBSET)
    worded["spec"]["successPolicy"] = {"operator": "All"}
    worded["spec"]["replicatedJobs"][0]["template"]["spec"]["completionMode"] = "Indexed"
    found = settled(JOBSET, worded)["spec"]
    assert "successPolicy" not in found
    assert "completionMode" not in found["replicatedJobs"][0]["template"]["spec"]
    assert found["startupPolicy"] == {"startupPolicyOrder": "AnyOrder"}


def test_what_the_controller_is_told_is_compared_as_data() -> None:
    jobset = copy.deepcopy(JOBSET)
    jobset["metadata"]["annotations"]["trainc.dev/job"] = '{"b": 1, "a": [2]}'
    assert settled(jobset)["metadata"]["annotations"]["trainc.dev/job"] == {"a": [2], "b": 1}
    jobset["metadata"]["annotations"]["trainc.dev/job"] = "{"
    assert settled(jobset)["metadata"]["annotations"]["trainc.dev/job"] == "{"
