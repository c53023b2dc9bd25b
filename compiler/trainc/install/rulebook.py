"""Who refuses what in a cluster: the page ``docs/admission.md``.

In: the rules of the reference's webhooks, and for each the policy that has it or what else it would
have to see. Out: Markdown. A test holds the conformance corpus and a real API server against it.
``python -m trainc.install.rulebook`` prints the page.
"""

from __future__ import annotations

import sys
from typing import Final

from trainc.install.admission import RUNTIMES_POLICY, TRAINJOBS_POLICY

RUNTIME: Final = "the runtime"
JOBSET: Final = "the JobSet's status"
PRIORITY_CLASS: Final = "the PriorityClass"

_HEAD = """\
# What a cluster refuses

<!-- Made by `python -m trainc.install.rulebook`; edit compiler/trainc/install/rulebook.py. -->

`trainc build` refuses all of it, at its place in the file. What reaches a cluster past it is
refused there by three parts, none of them a webhook:

1. The schemas of the kinds and their CEL rules: types, bounds, enums, duplicate keys, immutable
   fields, unknown fields. They are those of Kubeflow Trainer.
2. ValidatingAdmissionPolicies of `trainc install`, for what needs the object and its old version.
3. What needs a second object no policy can tell. With `--compile` the controller compiles by the
   same rules, makes nothing of such a TrainJob, and says why in a condition. Without it the object
   is taken and nothing acts on it: training is made by `trainc build`, which refuses.

A test sends every object of the conformance corpus that the reference refuses to a real API
server, and compares the fields.
"""


class Rule:
    """A rule beyond schema and CEL.

    Attributes:
        field: As ``trainc build`` and the reference name it; ``[]`` stands for any index.
        what: What is refused.
        policy: The policy that refuses it in a cluster; empty where none can.
        needs: What else would have to be seen; empty where a policy refuses it.
    """

    __slots__ = ("field", "needs", "policy", "what")

    def __init__(self, field: str, what: str, policy: str = "", needs: str = "") -> None:
        """Keeps all four; either ``policy`` or ``needs`` is said."""
        self.field, self.what, self.policy, self.needs = field, what, policy, needs


_JOBS = "spec.template.spec.replicatedJobs[]"
RULES: Final = (
    Rule("spec.runtimeRef", "another kind or group than a runtime's", TRAINJOBS_POLICY),
    Rule("spec.runtimePatches.manager", "no domain and path", TRAINJOBS_POLICY),
    Rule("spec.runtimePatches", "env for a reserved container", TRAINJOBS_POLICY),
    Rule("spec.runtimePatches", "changed while neither is suspended", TRAINJOBS_POLICY),
    Rule(f"{_JOBS}.replicas", "not 1 with an ancestor step", RUNTIMES_POLICY),
    Rule(
        f"{_JOBS}.template.spec.template.spec.containers",
        "no container of the ancestor step",
        RUNTIMES_POLICY,
    ),
    Rule("spec.runtimePatches", "changed while Jobs are still active", needs=JOBSET),
    Rule("spec.runtimeRef", "no such runtime (ClusterTrainingRuntime: `spec.RuntimeRef`)",
         needs=RUNTIME),
    Rule("spec.runtimeRef", "an initializer the runtime has no job, container or mount for",
         needs=RUNTIME),
    Rule("spec.runtimeRef", "torch: a target of envInjection that is not there", needs=RUNTIME),
    Rule("spec.runtimeRef.name", "torchtune: no recipe for this model", needs=RUNTIME),
    Rule("spec.trainer.args[]", "torchtune: an argument that is set by the runtime", needs=RUNTIME),
    Rule("spec.trainer.env", "torch, mpi: a variable that the policy sets", needs=RUNTIME),
    Rule("spec.trainer.env[]", "xgboost: a variable that the policy sets", needs=RUNTIME),
    Rule("spec.trainer.initContainers", "flux: an init container of the installer's name",
         needs=RUNTIME),
    Rule("spec.trainer.numNodes", "mpi: no job launcher or node; torchtune: one node only",
         needs=RUNTIME),
    Rule("spec.trainer.numProcPerNode", "flux: less than 1; torchtune: QLoRA on many devices",
         needs=RUNTIME),
    Rule("spec.trainer.resourcesPerNode", "torchtune: QLoRA on many devices", needs=RUNTIME),
    Rule("spec.annotations[scheduling.volcano.sh/queue-name]", "volcano: empty", needs=RUNTIME),
    Rule("spec.templateSpec.priorityClassName", "volcano: no such PriorityClass",
         needs=f"{RUNTIME}, {PRIORITY_CLASS}"),
)  # fmt: skip


def page() -> str:
    """The whole page as Markdown."""
    lines = [_HEAD, "## By a policy", "", "| field | refused | policy |", "|---|---|---|"]
    lines += [f"| `{r.field}` | {r.what} | `{r.policy}` |" for r in RULES if r.policy]
    lines += ["", "## Not by the API server", "", "| field | refused | needs |", "|---|---|---|"]
    lines += [f"| `{r.field}` | {r.what} | {r.needs} |" for r in RULES if r.needs]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
