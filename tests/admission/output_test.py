"""What the reference prints passes the generated schemas of its kinds, two known defects aside."""

from __future__ import annotations

import json

from tests.admission.documents import as_document
from tests.corpus import CORPUS

from trainc.spec.schema import check

# Doubled ports and a job without containers: defects 8 and 6 of the reference's list.
_POD = "spec.replicatedJobs[0].template.spec.template.spec"
KNOWN = {
    "torch-existing-port": f"{_POD}.containers[0].ports[1]",
    "patch-unknown-job": f"{_POD}.containers",
}
VERSIONS = {
    "JobSet": "jobset.x-k8s.io/v1alpha2",
    "PodGroup": "scheduling.x-k8s.io/v1alpha1",
}


def test_printed_objects_pass_the_schema_of_their_kind() -> None:
    refused, seen = {}, set()
    for path in sorted(CORPUS.glob("cases/*/expected.json")):
        for entry in json.loads(path.read_text()):
            for manifest in entry.get("manifests") or []:
                kind = manifest["kind"]
                if VERSIONS.get(kind) != manifest["apiVersion"]:
                    continue
                seen.add(kind)
                for problem in check(as_document(manifest), kind):
                    refused[path.parent.name] = problem.field
    assert (seen, refused) == (set(VERSIONS), KNOWN)
