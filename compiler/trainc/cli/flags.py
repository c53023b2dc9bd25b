"""The options that say how to compile, and for which environment: names, defaults, help."""

from collections.abc import Callable, Iterable
from typing import Any

import click


def check_features(names: Iterable[str]) -> None:
    """Refuses what no feature is called, before a cluster is told of it.

    Raises:
        click.UsageError: Names those that there are.
    """
    from trainc.info.status import FEATURE

    for name in names:
        if name != FEATURE:
            raise click.UsageError(f"no feature is called {name!r}; features: {FEATURE}")


def _features(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, bool]:
    """``NAME``, ``NAME=true`` and ``NAME=false`` as a map; the last word on a name holds."""
    features = {}
    for value in values:
        name, _, state = value.partition("=")
        if not name or state not in ("", "true", "false"):
            raise click.BadParameter(f"{value!r} is not NAME, NAME=true or NAME=false")
        features[name] = state != "false"
    return features


def _namespace(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """A namespace such as the API server takes."""
    if value != "default":
        from trainc.kube.validation.forms import dns_label

        if wrong := dns_label(value):
            raise click.BadParameter(f"{wrong}, got {value!r}")
    return value


COMPILING: tuple[Callable[[Any], Any], ...] = (
    click.argument("inputs", nargs=-1, metavar="[PATH]..."),
    click.option(
        "--runtimes",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, path_type=str),
        help="Look runtimes up here too, after the inputs; may be given several times. "
        "Default: runtimes/ of the project. The stock library comes last.",
    ),
    click.option(
        "--namespace",
        default="default",
        show_default=True,
        metavar="NAME",
        callback=_namespace,
        help="Namespace of objects that name none.",
    ),
    click.option(
        "--emit",
        type=click.Choice(["jobset", "both"]),
        default="jobset",
        show_default=True,
        help="both: print each TrainJob too, after its JobSet.",
    ),
    click.option(
        "--status-ca",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=str),
        help="Certificate of the status server's CA, for the ConfigMap NAME-tls-config.",
    ),
    click.option(
        "--feature",
        "features",
        multiple=True,
        metavar="NAME[=true|false]",
        callback=_features,
        help="Switch a feature gate; may be given several times.",
    ),
    click.option(
        "--compat",
        type=click.Choice(["v2.3.0"]),
        help="Reproduce this release of Kubeflow Trainer, defects included.",
    ),
    click.option(
        "--image-prefix",
        metavar="PREFIX",
        help="Where the images of trainc itself come from.",
    ),
    click.option(
        "--on-change",
        type=click.Choice(["keep", "rename", "replace"]),
        default="keep",
        show_default=True,
        help="What a changed job becomes. keep: the same object, which a cluster refuses while it "
        "runs; rename: another one, NAME-<8 hex>; replace: the GitOps tool recreates it.",
    ),
    click.option(
        "--no-cache",
        is_flag=True,
        expose_value=False,
        help="Compile although nothing changed since the last time, and remember nothing.",
    ),
    click.option(
        "--profile",
        type=click.Choice(["none", "argocd", "flux"]),
        default="none",
        show_default=True,
        help="The GitOps tool that syncs the output: waves, options, no TTL.",
    ),
    click.option(
        "--allow-ttl",
        is_flag=True,
        help="Keep ttlSecondsAfterFinished under a profile: the tool runs finished jobs again.",
    ),
    click.option(
        "--shared",
        is_flag=True,
        help="Name data caches by their content: jobs that want the same use one, which outlives "
        "them.",
    ),
)

ENVIRONMENT: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--env",
        metavar="NAME",
        help="Environment: a folder of overlays/, or all. Default: all; where only one can be "
        "printed or explained, default_env of trainc.yaml.",
    ),
    click.option(
        "--values",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=str),
        help="Values for templates, over those of the project and its overlays; repeatable.",
    ),
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="A.B=VALUE",
        help="One value, typed as YAML, over all files; repeatable.",
    ),
    click.option(
        "--set-string",
        "strings",
        multiple=True,
        metavar="A.B=TEXT",
        help="One value that is text whatever it looks like; repeatable.",
    ),
)

WHOLE_PROJECT: Callable[[Any], Any] = click.option(
    "--whole-project",
    is_flag=True,
    help="A PATH stands for the whole project it is in; for hooks, which get files.",
)
