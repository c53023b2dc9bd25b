"""A ``cache://`` dataset whose cache is compiled: its manifests, a wait, and readers that find it.

In: a job whose runtime's template asks for it (annotation ``trainc.dev/cache``). Out: the job with
the cache's objects, its initializer waiting for the head, its trainers told address, CA and token.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.info.cache.objects import Cache, objects
from trainc.info.cache.pods import auth_volume
from trainc.info.cache.settings import SHAPING, TIMEOUT, Asked, means_cache, settings
from trainc.info.info import CacheUse, Info, SecretRequest
from trainc.info.podset import Container, PodSet, env_items

_VOLUME: Final = "cache-auth"
_MODE: Final = 0o444  # images of jobs run as anybody; what a pod mounts it may read
_DIGITS: Final = 10
_LABEL_LIMIT: Final = 63
_START: Final = 600  # seconds for the initializer's own start: a node, an image, a Secret
# The StatefulSet of the workers is NAME-cache-0, and its pods carry its revision's name as a label:
# a dash and up to ten letters more.
_BEHIND: Final = len(f"{names.CACHE_SUFFIX}-0-") + 10


def with_compiled_cache(info: Info) -> Info:
    """The job with its cache; as it is where its dataset is none of a cache's."""
    asked = _asked(info)
    if asked is None:
        return _unwaiting(info)
    if not asked.wanted:
        return info
    found, problems = settings(asked)
    problems += _annotation_faults(info)
    if problems:
        return info._replace(problems=(*info.problems, *problems))
    # Of the runtime alone: a job's patches must not take away what its administrators ask for.
    own = info.spec.runtime.template.annotations
    insecure = own.get(names.CACHE_INSECURE_ANNOTATION) == "true"
    cache = Cache(info.name, asked, found, insecure)
    if found.shared:
        cache = cache._replace(name=_name_of_content(cache))
    return _with_cache(_checked(info, cache), cache)


def _asked(info: Info) -> Asked | None:
    """The first initializer of a dataset, and the container that is it."""
    wanted = names.DATASET_INITIALIZER
    for pod_set in info.pod_sets:
        if wanted in (pod_set.ancestor, pod_set.name):
            for container in pod_set.containers:
                if container.name == wanted:
                    return Asked(info, pod_set, container)
    return None


def _unwaiting(info: Info) -> Info:
    """A cache is asked for, and there is no container that could wait for it."""
    dataset = (info.spec.job.spec.get("initializer") or {}).get("dataset") or {}
    if not means_cache(dataset.get("storageUri") or ""):
        return info
    problem = info.spec.problem(
        ("spec", "initializer", "dataset", "storageUri"),
        f"{info.spec.runtime.label} has no container {names.DATASET_INITIALIZER} that could wait "
        "for the cache",
        hint="an init container cannot: the training would start with it",
        code=codes.CACHE,
    )
    return info._replace(problems=(*info.problems, problem))


def _annotation_faults(info: Info) -> list[Problem]:
    """An annotation with a value that nobody reads is a typo, not a wish."""
    annotations = info.spec.template.annotations
    known = {names.CACHE_ANNOTATION: ("compiled",),
             names.CACHE_INSECURE_ANNOTATION: ("true", "false")}  # fmt: skip
    path = ("spec", "template", "metadata", "annotations")
    return [
        Problem(
            f'must be {" or ".join(values)}, got "{annotations[key]}"',
            codes.CACHE,
            info.spec.runtime.document.mark((*path, key)),
            info.spec.runtime.label,
            ".".join((*path, key)),
        )
        for key, values in known.items()
        if key in annotations and annotations[key] not in values
    ]


def _name_of_content(cache: Cache) -> str:
    """A name that is the same for all jobs that want the same cache."""
    content = [*objects(cache._replace(name=names.CACHE_SHARED_PREFIX))]
    text = json.dumps([cache.insecure, content], sort_keys=True, separators=(",", ":"))
    return names.CACHE_SHARED_PREFIX + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _checked(info: Info, cache: Cache) -> Info:
    """The job, with the problem that its name leaves no room for the cache's names."""
    room = _LABEL_LIMIT - _BEHIND
    if len(cache.name) <= room:
        return info
    longest = f"{cache.group}-0-<revision>"
    problem = info.spec.problem(
        ("metadata", "name"),
        f"must be at most {room} characters beside a compiled cache, got {len(cache.name)}",
        hint=f"its pods carry the label {longest}, and a label has {_LABEL_LIMIT} at most",
        code=codes.CACHE,
    )
    return info._replace(problems=(*info.problems, problem))


def _with_cache(info: Info, cache: Cache) -> Info:
    made = tuple(objects(cache))
    if cache.settings.shared:
        info = info._replace(shared=(*info.shared, *made))
    else:
        info = info._replace(objects=(*info.objects, *made))
    if cache.secret:
        request = SecretRequest(cache.secret, "cache-auth")
        info = info._replace(secrets=(*info.secrets, request))
    info = info._replace(cache=CacheUse(cache.name, cache.settings.shared))
    waits = cache.asked.pod_set

    def visit(pod_set: PodSet) -> PodSet:
        return _waiting(pod_set, cache) if pod_set is waits else _reading(pod_set, cache)

    return info.with_pod_sets(visit)


def _waiting(pod_set: PodSet, cache: Cache) -> PodSet:
    """The initializer, which asks the head whether every row is held, and trusts its CA alone."""
    env = {names.CACHE_HEAD_ENV: f"{cache.service}:{names.CACHE_READY_PORT}"}
    if cache.secret:
        env[names.CACHE_CA_ENV] = f"{names.CACHE_AUTH_PATH}/{names.CA_KEY}"

    def change(container: Container) -> Container:
        if container.name != names.DATASET_INITIALIZER:
            return container
        # What only sizes the cache stays out: a JobSet's pods cannot change, the cache's can.
        kept = tuple(i for i in container.env if i["name"] not in SHAPING or i["name"] == TIMEOUT)
        return _equipped(container._replace(env=kept), env, cache)

    pod_set = pod_set._replace(containers=tuple(map(change, pod_set.containers)))
    pod_set = _in_time(pod_set, cache.settings.counts[TIMEOUT] + _START)
    if not cache.secret:
        return pod_set
    return pod_set.with_volumes(auth_volume(_VOLUME, cache.secret, names.CA_KEY, mode=_MODE))


def _in_time(pod_set: PodSet, seconds: int) -> PodSet:
    """The pods' Job failed after that time: retries end, and so does a Secret's coming too late."""
    template = pod_set.raw["template"]
    spec = {"activeDeadlineSeconds": seconds, **template["spec"]}
    return pod_set._replace(raw={**pod_set.raw, "template": {**template, "spec": spec}})


def _reading(pod_set: PodSet, cache: Cache) -> PodSet:
    """Pods with a container ``node``: where the cache is, and what it wants to see."""
    node = pod_set.node
    if node is None:
        return pod_set
    scheme = "grpc+tls" if cache.secret else "grpc"
    env = {names.CACHE_ADDRESS_ENV: f"{scheme}://{cache.service}:{names.CACHE_PORT}"}
    if not cache.secret:
        return pod_set.with_node(node.with_env(env_items(env)))
    env[names.CACHE_CA_ENV] = f"{names.CACHE_AUTH_PATH}/{names.CA_KEY}"
    env[names.CACHE_TOKEN_ENV] = f"{names.CACHE_AUTH_PATH}/{names.CACHE_TOKEN_KEY}"
    keys = (names.CA_KEY, names.CACHE_TOKEN_KEY)
    volume = auth_volume(_VOLUME, cache.secret, *keys, mode=_MODE)
    return pod_set.with_node(_equipped(node, env, cache)).with_volumes(volume)


def _equipped(container: Container, env: dict[str, str], cache: Cache) -> Container:
    container = container.with_env(env_items(env))
    mount: dict[str, Any] = {
        "name": _VOLUME,
        "mountPath": names.CACHE_AUTH_PATH,
        "readOnly": True,
    }
    return container.with_mounts(mount) if cache.secret else container
