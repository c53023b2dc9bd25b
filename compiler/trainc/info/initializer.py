"""What a TrainJob says of its initializers, written into their containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trainc import names
from trainc.info.claim import with_claim
from trainc.info.env import printed
from trainc.info.failfast import failing_fast, fails_fast
from trainc.info.group import with_group
from trainc.info.info import Info
from trainc.info.podset import Container, PodSet

_PARTS: Final = (
    ("dataset", names.DATASET_INITIALIZER),
    ("model", names.MODEL_INITIALIZER),
)


def with_initializers(info: Info) -> Info:
    """Sets storage URI, env and Secret of the dataset and the model initializer.

    Source: ``pkg/runtime/framework/plugins/jobset/builder.go`` of v2.3.0; controlplane facts 3.8.
    """
    wanted = info.spec.job.spec.get("initializer") or {}
    for part, ancestor in _PARTS:
        settings = wanted.get(part)
        if settings is not None:
            info = _with_initializer(info, ancestor, settings)
    if names.CACHE_ANNOTATION in info.spec.template.annotations and info.spec.compat.extends:
        from trainc.info.cache.compiled import with_compiled_cache  # few runtimes ask for it

        info = with_compiled_cache(info)
    if not info.spec.compat.keeps("initializer-group"):
        info = info.with_pod_sets(with_group)
    return info.with_pod_sets(failing_fast) if fails_fast(info) else info


def _with_initializer(info: Info, ancestor: str, settings: Mapping[str, Any]) -> Info:
    by_label = info.spec.compat.keeps("initializer-by-label")
    if by_label and not any(p.ancestor == ancestor for p in info.pod_sets):
        message = f"ignored, because no job is labelled {ancestor}"
        part = ancestor.partition("-")[0]
        return info.with_quirk("initializer-by-label", ("spec", "initializer", part), message)
    env = [printed(item, info.spec.compat) for item in settings.get("env") or ()]
    uri = settings.get("storageUri")
    if uri is not None:
        env.insert(0, {"name": "STORAGE_URI", "value": uri})
    secret = settings.get("secretRef")
    extends = info.spec.compat.extends

    def change(container: Container) -> Container:
        if container.name != ancestor:
            return container
        container = container.with_env(env)
        if secret is None:
            return container
        ref = {"secretRef": {"name": secret.get("name", "")}}
        return container._replace(env_from=(*container.env_from, ref))

    def visit(pod_set: PodSet) -> PodSet:
        if pod_set.ancestor != ancestor and (by_label or pod_set.name != ancestor):
            return pod_set
        pod_set = pod_set._replace(containers=tuple(change(c) for c in pod_set.containers))
        return with_claim(pod_set, ancestor, uri or "") if extends else pod_set

    return info.with_pod_sets(visit)
