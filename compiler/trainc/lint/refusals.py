"""What the codes of refusals mean (``trainc.codes``), the checks of pods and the quirks.

In: a code. Out: its page. Lints stand in ``explanation.py``; a team explains its own rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainc import codes
from trainc.kube.pod import CHECKS
from trainc.lint.explanation import EXPLANATIONS, Explanation
from trainc.lint.explanation import page as lint_page
from trainc.spec.quirk import Quirk
from trainc.spec.quirks import QUIRKS

REFUSALS: Final = {
    codes.SYNTAX: Explanation("The file is not YAML, JSON or UTF-8 text, or is nested too deep.",
                              "name: [a, b", "name: [a, b]"),
    codes.UNREADABLE: Explanation("The file cannot be read: it is not there, too large, no regular "
                                  "file, hidden, or outside the repository once links are "
                                  "followed.",
                                  "jobs -> /etc", "a file in the project's folder"),
    codes.NOT_COMPILED: Explanation("The document is no TrainJob and no runtime of a version that "
                                    "trainc compiles. `others:` in trainc.yaml says what becomes "
                                    "of other kinds.",
                                    "apiVersion: trainer.kubeflow.org/v2",
                                    "apiVersion: trainer.kubeflow.org/v1alpha1"),
    codes.TEMPLATE: Explanation("The template cannot be rendered: a Jinja error, a value that is "
                                "not defined, or text that is no template of trainc's.",
                                "image: {{ imgae }}", "image: {{ image }}"),
    codes.VALUES: Explanation("Values are a map of names; --set takes NAME=VALUE.",
                              "--set nodes", "--set nodes=4"),
    codes.PATCH: Explanation("A patch of an overlay has a target that exists, and operations that "
                             "apply to it.",
                             "target: {kind: TrainJobs}", "target: {kind: TrainJob}"),
    codes.ENVIRONMENT: Explanation("An environment is a folder below overlays/, with an optional "
                                   "overlay.yaml.",
                                   "--env prd", "--env prod"),
    codes.PROJECT: Explanation("trainc.yaml, .traincignore and the rules of a project have known "
                               "keys and values.",
                               "profile: argo", "profile: argocd"),
    codes.DUPLICATE: Explanation("Two documents, or two objects of the output, have the same kind, "
                                 "namespace and name: one would replace the other.",
                                 "two TrainJobs named bert", "bert-base and bert-large"),
    codes.SCHEMA: Explanation("The field is not one of the API's, or its value has another type or "
                              "range.",
                              "numNodes: two", "numNodes: 2"),
    codes.API_RULE: Explanation("A rule of the API refuses the object: a CEL rule or a webhook of "
                                "Trainer v2.3.0, or a change of an immutable field.",
                                "two entries of runtimePatches with the same manager",
                                "one entry for each manager"),
    codes.RUNTIME: Explanation("A TrainJob names a runtime that is among the inputs, in the stock "
                               "library, or in a folder of --runtimes.",
                               "runtimeRef: {name: torch-distribute}",
                               "runtimeRef: {name: torch-distributed}"),
    codes.POLICY: Explanation("The runtime's policy (torch, MPI, JAX, XGBoost, Flux, Volcano ...) "
                              "cannot run the job as it is written.",
                              "a variable PET_NNODES in spec.trainer.env of a torch job",
                              "spec.trainer.numNodes: 4"),
    codes.COUNT: Explanation("A job has at least one pod, and no more than a cluster can run.",
                             "numNodes: 2147483647", "numNodes: 8"),
    codes.CACHE: Explanation("A cache:// dataset names a table, and the cache that serves it has "
                             "settings that exist.",
                             "storageUri: cache://", "storageUri: cache://schema/table"),
    codes.BUDGET: Explanation("The build would take more steps, memory or output than any project "
                              "needs; see docs/untrusted.md.",
                              "{% for i in range(10000000) %}", "one document for each job"),
    codes.OTHER: Explanation("A document of another kind that the project refuses (others: "
                             "refuse), or that cannot be kept: one without a name, or a Secret as "
                             "text.",
                             "kind: Secret", "kind: SealedSecret"),
    codes.USAGE: Explanation("A flag or an argument is not what the command takes; see `trainc "
                             "help COMMAND`.",
                             "trainc build --emit all", "trainc build --emit both"),
    codes.UNWRITABLE: Explanation("The output cannot be written; what stood there is as it was.",
                                  "--out-dir /readonly", "--out-dir out"),
    codes.OUTPUT: Explanation("The output folder is a link, or is not what trainc wrote.",
                              "out -> ../elsewhere", "out/, a folder of the project"),
    codes.DRIFT: Explanation("The committed output is not what the sources compile to.",
                             "a change of a job without a build", "trainc build --out-dir out"),
    codes.FORM: Explanation("A file is not in the form that `trainc fmt` writes.",
                            "keys in another order", "trainc fmt"),
    codes.KEPT: Explanation("A file was left as it is, because trainc cannot say that it is its "
                            "own.",
                            "out/notes.yaml, written by a person",
                            "remove it by hand where it is not needed"),
    codes.NOT_FOUND: Explanation("There is no job, pod or setting of that name.",
                                 "trainc explain --job brt", "trainc explain --job bert"),
    codes.GIT: Explanation("Git cannot be asked, knows no such revision, or holds what trainc does "
                           "not read.",
                           "trainc diff --base mian", "trainc diff --base main"),
    codes.EDIT: Explanation("The file cannot be edited in place without changing what is not "
                            "meant.",
                            "trainc set image on a template", "the value that the template reads"),
    codes.MIGRATION: Explanation("The job would not behave as before, so its file is left as it "
                                 "is.",
                                 "elasticPolicy of a PyTorchJob",
                                 "trainc migrate --fixed-nodes"),
    codes.FUNCTION: Explanation("The input of a KRM function or of Argo CD's plugin is not what "
                                "its interface says.",
                                "functionConfig: []", "functionConfig: {kind: TraincBuild, ...}"),
    codes.CLUSTER: Explanation("The cluster cannot be reached, or refuses the request.",
                               "a context whose token has ended", "kubectl config use-context"),
    codes.CACHE_SERVER: Explanation("The data cache cannot start with these settings.",
                                    "trainc cache serve --local without a table",
                                    "trainc cache serve --local data/"),
    codes.FETCH: Explanation("A dataset or model cannot be fetched; the message says which file "
                             "and why.",
                             "s3://bucket/missing", "s3://bucket/there"),
    codes.RESOURCES: Explanation("The machine has no memory left for the build.",
                                 "ulimit -v 100000", "600 MB or more"),
    codes.INTERNAL: Explanation("A fault of trainc itself. Please report it with its file.",
                                "", ""),
}  # fmt: skip


def listed() -> Iterator[tuple[str, str]]:
    """Every code with a line about it: refusals, lints, checks of pods, quirks."""
    for name, known in (REFUSALS | EXPLANATIONS).items():
        yield name, known.why
    for name, refused in CHECKS.items():
        yield name, f"Kubernetes refuses {refused}."
    for name, quirk in QUIRKS.items():
        yield name, f"trainc {quirk.sound}; Kubeflow Trainer v2.3.0 {quirk.reference}."


def page(word: str) -> str | None:
    """The page of a code, as text for a terminal; None where no code is called so."""
    code = word.upper() if word.upper() in EXPLANATIONS or word.upper() in REFUSALS else word
    if code in EXPLANATIONS:
        return lint_page(code)
    if code in REFUSALS:
        known = REFUSALS[code]
        example = f"\n  bad:   {known.bad}\n  good:  {known.good}\n" if known.bad else ""
        return f"{code}: {known.why}\n{example}\n{_STAYS}"
    if code in CHECKS:
        text = f"{code}: a check of the compiled pods. Kubernetes refuses {CHECKS[code]}.\n"
        return f"{text}\nThe message says which field of your file to change. {_STAYS}"
    return _quirk_page(QUIRKS[code]) if code in QUIRKS else None


_STAYS: Final = "No comment and no level takes an error of this code away.\n"


def _quirk_page(quirk: Quirk) -> str:
    return (
        f"{quirk.name}: a difference between trainc and Kubeflow Trainer v2.3.0.\n\n"
        f"  trainc {quirk.sound}\n"
        f"  v2.3.0 {quirk.reference}\n"
        f"  why:   {quirk.reason}\n\n"
        "`trainc build --compat v2.3.0` does as v2.3.0; see docs/fidelity.md.\n"
    )


def is_refusal(code: str) -> bool:
    """Whether errors of that code refuse the build, whatever a person says of it."""
    return code in REFUSALS or code in CHECKS or code in QUIRKS
