"""Old fields of TrainJobs and runtimes: they alone are written anew, the rest letter by letter."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from trainc import build
from trainc.edit.migration.rewrite import Migrated, migrated
from trainc.edit.migration.work import Options
from trainc.edit.text import of_bytes
from trainc.errors import TraincError
from trainc.source.files import File

RUNTIME = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name:   torch-team}
spec:
  mlPolicy:
    numNodes: 1
    torch: {}
  template:
    spec:
      replicatedJobs:
        - name: node
          template:
            metadata: {labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}}
            spec: {template: {spec: {containers: [{name: node, image: "example.com/t:1"}]}}}
"""
JOB = """\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: llm   # the name
spec:
  trainer:
    numNodes: 2  # two
    image: 'example.com/t:1'
  suspend:   false
  runtimeRef: {name: torch-team}
"""
PATCH = """\
  runtimePatches:
    - manager: acme.com/a
      trainingRuntimeSpec:
        template:
"""


def migrate(text: str, *, fixed_nodes: bool = False) -> Migrated:
    file = of_bytes(text.encode(), File("a.yaml", "a.yaml", True))
    return migrated(file, Options("acme.com/a", fixed_nodes))


@dataclass(frozen=True)
class Case:
    """A change to the documents above, and what comes of it.

    Attributes:
        name: What it shows.
        old: What stands in the old file, in the place of ``new``.
        new: What stands in the new one.
        said: What is said of it.
    """

    __test__ = False
    name: str
    old: str
    new: str
    said: str = ""


SUSPEND = "  suspend:   false\n"
CASES = [
    Case(
        "an override, with its comments",
        SUSPEND + "  podTemplateOverrides:   # ours\n  # first\n  - targetJobs: [{name: node}]\n"
        "    spec: {serviceAccountName: sa}   # who\n    # foot\n",
        SUSPEND + PATCH.replace(":\n", ": # ours\n", 1).replace("    - m", "    # first\n    - m")
        + "          spec:\n            replicatedJobs:\n              - name: node\n"
        "                template:\n                  spec:\n                    template:\n"
        "                      spec: {serviceAccountName: sa} # who\n    # foot\n",
    ),
    Case(
        "an override of Trainer 2.0",
        SUSPEND + "  podSpecOverrides:\n    - targetJobs: [{name: node}]\n"
        "      # where\n      nodeSelector: {disk: ssd}\n",
        SUSPEND + PATCH + "          spec:\n            replicatedJobs:\n"
        "              - name: node\n                template:\n                  spec:\n"
        "                    template:\n                      spec:\n"
        "                        # where\n                        nodeSelector: {disk: ssd}\n",
    ),
    Case(
        "labels and annotations of the JobSet",
        "  labels: {team: a}   # whose\n" + SUSPEND + "  annotations:\n    owner: me\n",
        PATCH + "          metadata:\n            labels: {team: a} # whose\n"
        "            annotations:\n              owner: me\n" + SUSPEND,
    ),
    Case("the default of a job", "    numProcPerNode: auto   # all\n", "    # all\n"),
    Case("a runtime's default", "    torch: {numProcPerNode: auto}\n", "    torch: {}\n"),
    Case(
        "the same in a block",
        "    torch:   # policy\n      # GPUs\n      numProcPerNode: auto\n",
        "    torch: {}   # policy\n      # GPUs\n",
    ),
    Case(
        "a runtime's number",
        "    torch: {numProcPerNode: 4}\n", "    torch: {}\n",
        "8:13: warning: spec.mlPolicy.torch.numProcPerNode: is in the TrainJobs of this file now",
    ),
]  # fmt: skip


def both(case: Case, text: str) -> str:
    """The two documents with a case's lines in them."""
    runtime, job = RUNTIME, JOB
    if "torch:" in case.old:
        runtime = runtime.replace("    torch: {}\n", text)
    elif "suspend" in case.old:
        job = job.replace(SUSPEND, text)
    else:
        job = job.replace("    numNodes: 2  # two\n", f"    numNodes: 2  # two\n{text}")
    return f"# kept\n{runtime}---\n{job}# end\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_old_field_alone_is_written_anew(tmp_path: Path, case: Case) -> None:
    done = migrate(both(case, case.old))
    want = both(case, case.new)
    if "4" in case.old:
        two = "    image: 'example.com/t:1'\n"
        want = want.replace(two, f"{two}    numProcPerNode: 4\n")
    assert done.text == want
    assert [case.said in str(each) for each in done.problems] == [True] * bool(case.said)
    (tmp_path / "a.yaml").write_text(done.text)
    assert build(tmp_path / "a.yaml").ok
    crlf = migrate(both(case, case.old).replace("\n", "\r\n"))
    assert crlf.text == want.replace("\n", "\r\n")


REFUSED = [
    Case("an elastic policy", "    torch: {elasticPolicy: {maxNodes: 2}}\n", "",
         "8:13: error: spec.mlPolicy.torch.elasticPolicy: has no counterpart"),
    Case("processes by GPU, and none", "    numProcPerNode: gpu\n", "",
         "spec.trainer.numProcPerNode: gpu has no counterpart [TRC041]\n"
         "    hint: the node asks for no GPU"),
    Case("an override that no patch can say", SUSPEND + "  podTemplateOverrides:\n"
         "    - targetJobs: [{name: node}]\n      spec: {hostNetwork: true}\n", "",
         "spec.podTemplateOverrides[0].spec.hostNetwork: has no counterpart"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_has_no_counterpart_leaves_the_file(case: Case) -> None:
    text = both(case, case.old)
    done = migrate(text)
    assert (done.text, done.objects) == (text, ())
    assert case.said in "\n".join(map(str, done.problems))


def test_a_number_without_a_job_to_take_it_is_refused() -> None:
    text = RUNTIME.replace("torch: {}", "torch: {numProcPerNode: 4}")
    assert "write spec.trainer.numProcPerNode: 4 in its TrainJobs" in str(migrate(text).problems[0])
    assert migrate(text).text == text


def test_an_elastic_policy_goes_where_nodes_are_fixed() -> None:
    text = RUNTIME.replace("torch: {}", "torch: {elasticPolicy: {maxNodes: 2}}")
    assert migrate(text, fixed_nodes=True).text == RUNTIME


def test_processes_by_cpu_are_the_number_of_cpus() -> None:
    gpus = "    resourcesPerNode: {limits: {cpu: 6, nvidia.com/gpu: 2}}\n"
    old = JOB.replace("  suspend", f"{gpus}    numProcPerNode: cpu  # c\n  suspend")
    assert migrate(old).text == old.replace("cpu  # c", "6  # c")
    alone = old.replace(", nvidia.com/gpu: 2", "")
    assert migrate(alone).text == alone.replace("numProcPerNode: cpu  # c", "# c")


def test_all_old_fields_go_in_one_run_between_braces_too() -> None:
    job = (
        "{apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, metadata: {name: a}, spec: "
        "{labels: {a: b}, runtimeRef: {name: torch-distributed}, trainer: {numProcPerNode: auto, "
        "image: x}, podTemplateOverrides: [{targetJobs: [{name: node}], spec: "
        "{serviceAccountName: sa}}]}}\n"
    )
    new = migrate(job).text
    assert "trainer: {image: x}" in new
    assert new.startswith(job.partition("labels")[0] + "runtimePatches: [{manager: acme.com/a")
    assert migrate(new) == (new, (), ())
    quoted = (
        '{"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "spec": {"trainer": '
        '{"numProcPerNode": "auto"}, "labels": {"a": "b"}}}'
    )
    assert '"trainer": {}, "runtimePatches": [{"manager": "acme.com/a"' in migrate(quoted).text


def test_a_field_that_comes_by_an_alias_is_left_to_a_person() -> None:
    text = JOB.replace("  name: llm", "  labels: &l {a: b}\n  name: llm") + "  labels: *l\n"
    with pytest.raises(TraincError, match="left as it was"):
        migrate(text)
