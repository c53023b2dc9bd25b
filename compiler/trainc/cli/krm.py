"""``trainc krm``: trainc as a KRM function, for kustomize and kpt.

In: a ResourceList on stdin. Out: one on stdout, TrainJobs compiled.
"""

import sys

import click

from trainc.cli.options import reporting
from trainc.cli.output import write_out
from trainc.cli.report import Report

_HELP = """
Compiles the TrainJobs of a ResourceList on stdin; the list goes to stdout with the objects in
their place, the runtimes taken out and everything else as it was. What was found stands under
results, with the file of each item, and on stderr.

Options are the functionConfig's: kind TrainBuild, under spec namespace, profile, emit, onChange,
imagePrefix, features. A TrainJob may be the functionConfig itself.

\b
In a kustomization.yaml:
  transformers: [build.yaml]
In build.yaml:
  apiVersion: trainc.dev/v1
  kind: TrainBuild
  metadata:
    name: build
    annotations:
      config.kubernetes.io/function: |
        exec: {path: trainc, args: [krm]}
  spec: {profile: argocd}

\b
Then:
  kustomize build --enable-alpha-plugins --enable-exec .

\b
Exit status:
  0  compiled, perhaps with warnings
  1  there are errors: the items are as they came
"""


@click.command(help=_HELP, short_help="Compile as a function of kustomize and kpt.")
@reporting
@click.pass_obj
def krm(report: Report) -> int:
    """Answers one ResourceList; returns the exit status."""
    from trainc.gitops.krm import answer

    found = answer(sys.stdin.buffer.read())
    write_out([found.text])
    report.add(found.problems)
    return 1 if report.failed else 0
