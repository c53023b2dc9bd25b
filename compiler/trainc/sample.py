"""Small jobs and runtimes for the tests beside the source; not part of the wheel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from trainc.compile import Inputs, compile_documents
from trainc.errors import Problem
from trainc.plan.plan import Output
from trainc.source.parse import parse
from trainc.spec.compat import SOUND, VERSIONS, Compat
from trainc.spec.spec import Settings

REFERENCE = Compat(VERSIONS[0])

Manifest = Mapping[str, Any]


class Compiled(NamedTuple):
    """What came of a sample: its objects by kind, and the problems."""

    objects: dict[str, Manifest]
    problems: tuple[Problem, ...]

    @property
    def jobset(self) -> Manifest:
        """The JobSet's spec."""
        assert "JobSet" in self.objects, self.errors
        spec: Manifest = self.objects["JobSet"]["spec"]
        return spec

    @property
    def errors(self) -> list[str]:
        """``field: message`` of each error."""
        return [f"{p.field}: {p.message}" for p in self.problems if p.severity == "error"]

    @property
    def warned(self) -> set[str]:
        """The codes of the warnings."""
        return {p.code for p in self.problems if p.severity == "warning"}

    def job(self, name: str = "node") -> Manifest:
        """One replicated job."""
        found: Manifest = next(j for j in self.jobset["replicatedJobs"] if j["name"] == name)
        return found

    def pod(self, job: str = "node") -> Manifest:
        """The pod spec of one replicated job."""
        spec: Manifest = self.job(job)["template"]["spec"]["template"]["spec"]
        return spec

    def container(self, name: str = "node", job: str = "node") -> Manifest:
        """One container."""
        found: Manifest = next(c for c in self.pod(job)["containers"] if c["name"] == name)
        return found

    def env(self, name: str = "node", job: str = "node") -> dict[str, Any]:
        """Value or source of each env variable of a container."""
        items = self.container(name, job).get("env", ())
        return {item["name"]: item.get("value", item.get("valueFrom")) for item in items}

    def count(self, job: str = "node") -> int:
        """The pods of one replicated job."""
        count: int = self.job(job)["template"]["spec"]["parallelism"]
        return count


@dataclass(frozen=True)
class TestCase:
    """Documents that compile, and what is to be seen in what came of them."""

    __test__ = False
    name: str
    texts: tuple[str, ...]
    look: Callable[[Compiled], Any]
    want: Any


@dataclass(frozen=True)
class Refusal:
    """Documents that are refused, and how the error begins."""

    __test__ = False
    name: str
    texts: tuple[str, ...]
    want: str


def runtime(policy: str = "{}", *, jobs: str = "", template: str = "", name: str = "rt") -> str:
    """A ClusterTrainingRuntime as YAML: flow-style mlPolicy, replicated jobs, template extras."""
    return f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {{name: {name}}}
spec:
  mlPolicy: {policy}
  template:
    spec:
      {template or "{}"}
      replicatedJobs:
{jobs or replicated_job()}
""".replace("      {}\n", "")


def replicated_job(
    name: str = "node", *, label: str = "trainer", container: str = "", pod: str = "",
    job: str = "", more: str = "",
) -> str:  # fmt: skip
    """One replicated job of a runtime; ``container``, ``pod``, ``job`` are flow-style extras."""
    labels = f"{{trainer.kubeflow.org/trainjob-ancestor-step: {label}}}" if label else "{}"
    own = label if label.endswith("initializer") else "node"
    return f"""\
      - name: {name}
        {more or "groupName: default"}
        template:
          metadata: {{labels: {labels}}}
          spec:
            {job or "suspend: null"}
            template:
              spec:
                {pod or "restartPolicy: Never"}
                containers:
                - {{name: {own}, image: "example.com/img:1"{", " + container if container else ""}}}
"""


def trainjob(spec: str = "{}", *, trainer: str | None = "{}", metadata: str = "") -> str:
    """A TrainJob as YAML: ``spec`` is more of the spec in flow style, without the braces."""
    lines = ["  trainer: " + trainer] if trainer is not None else []
    more = f"  {spec}\n" if spec != "{}" else ""
    return f"""\
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {{name: m, namespace: team{", " + metadata if metadata else ""}}}
spec:
  runtimeRef: {{name: rt}}
{more}{chr(10).join(lines)}
"""


def compiled(
    *texts: str, compat: Compat = SOUND, features: frozenset[str] = frozenset()
) -> Compiled:
    """Compiles documents given as YAML."""
    documents, problems = parse("\n---\n".join(texts).encode(), "input.yaml")
    settings = Settings(compat, features)
    output = Output(secrets="inline")
    plan = compile_documents(Inputs(tuple(documents)), settings, output)
    objects = {f"{o.manifest['kind']}": o.manifest for o in plan.objects}
    return Compiled(objects, (*problems, *plan.problems))
