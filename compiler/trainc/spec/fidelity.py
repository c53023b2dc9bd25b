"""The page ``docs/fidelity.md``: every named difference from v2.3.0, out of the table in quirks.py.

``python -m trainc.spec.fidelity`` prints it; a test compares the two.
"""

from __future__ import annotations

import sys

from trainc.kube.pod import CHECKS
from trainc.spec.additions import ADDITIONS
from trainc.spec.quirks import QUIRKS

_HEAD = """\
# Fidelity to Kubeflow Trainer v2.3.0

<!-- Made by `python -m trainc.spec.fidelity`; edit compiler/trainc/spec/quirks.py instead. -->

`trainc build --compat v2.3.0` prints what Trainer v2.3.0 makes of the same input, defects
included, and warns of each quirk that shapes the output. By default every quirk is mended.
Nothing else differs: a test builds the whole conformance corpus in both modes, removes the
quirks one by one, and holds every changed line against the quirk it belongs to.

The number is that of the reference's known defect, where it has one.
"""


def page() -> str:
    """The whole page as Markdown."""
    lines = [
        _HEAD,
        "## Quirks",
        "",
        "| name | # | v2.3.0 | trainc | why |",
        "|---|---|---|---|---|",
    ]
    for quirk in sorted(QUIRKS.values()):
        cells = (quirk.name, quirk.defect, quirk.reference, quirk.sound, quirk.reason)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    lines += ["", "## Additions", "", "What the default mode prints beside it:", ""]
    lines += [f"- `{addition.name}`: {addition.what}" for addition in ADDITIONS.values()]
    lines += ["", "## Checks", "", "What `late-refusal` refuses, by the check's name:", ""]
    lines += [f"- `{name}`: {what}" for name, what in sorted(CHECKS.items())]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(page())
