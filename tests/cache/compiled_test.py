"""What a build prints, run: the containers of a compiled cache and its job as processes here.

Commands, arguments and environments are the manifests' own. Replaced is only what a machine without
a cluster lacks: addresses (the loopback), mount paths (folders), the certificate's names.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cache.running import write_parquet

from trainc.info.cache.compiled_test import (
    RUNTIME,
    by_kind,
    container_of,
    env_of,
    job,
    made,
    pods,
)
from trainc.kube.keys import tls_pair
from trainc.plan.plan import Output

INSECURE = RUNTIME.replace("cache: compiled", 'cache: compiled, trainc.dev/cache-insecure: "true"')
READER = """
from trainc.cache.client import CacheDataset
seen = [row for batch in CacheDataset(seed=1) for row in batch.column("id").to_pylist()]
assert seen != sorted(seen)
print(len(seen), len(set(seen)), sum(seen))
"""
ROWS = 5000


class Cluster:
    """Mount paths of pods as folders, and processes for containers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mounted(self, container: Mapping[str, Any], pod: Mapping[str, Any], whose: str) -> None:
        """Make a folder of each mount, the Secret's with the keys that the volume lets through."""
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for mount in container["volumeMounts"]:
            where = self._path(mount["mountPath"], whose)
            where.mkdir(parents=True, exist_ok=True)
            for item in volumes[mount["name"]].get("secret", {}).get("items", ()):
                content = (self._folder / "secret" / item["key"]).read_text()
                (where / item["path"]).write_text(content)

    def environ(self, container: Mapping[str, Any], whose: str, **more: str) -> dict[str, str]:
        """The container's environment, its paths those of our folders."""
        values = {k: v for k, v in env_of(dict(container)).items() if isinstance(v, str)}
        mounts = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
        for name, value in values.items():
            if any(value == mount or value.startswith(f"{mount}/") for mount in mounts):
                values[name] = str(self._path(value, whose))
        kept = {name: os.environ[name] for name in ("PATH",)}
        path = os.pathsep.join(path for path in sys.path if path)
        return {**kept, "PYTHONPATH": path, "HOME": str(self._folder), **values, **more}

    @contextmanager
    def serving(
        self, container: Mapping[str, Any], whose: str, **more: str
    ) -> Iterator[tuple[int, int]]:
        """Head or worker; gives its ports."""
        python, *command = container["command"]
        assert python == "python"
        role, host, port = container["args"]
        assert (host, port) == ("0.0.0.0", "50051")  # noqa: S104
        # Outside the loopback it starts with TLS and token alone, which is what is tried here.
        command = [sys.executable, *command, role, "0.0.0.0", "0"]  # noqa: S104
        environ = self.environ(container, whose, HEALTH_PORT="0", **more)
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            found = process.stdout.readline().split()
            yield int(found[0]), int(found[1])
        finally:
            process.terminate()
            process.wait(30)

    def _path(self, path: str, whose: str) -> Path:
        return self._folder / whose / path.lstrip("/")


@pytest.mark.parametrize("runtime", [RUNTIME, INSECURE], ids=["secure", "insecure"])
def test_what_is_printed_serves_and_is_read(runtime: str, tmp_path: Path) -> None:
    write_parquet(tmp_path / "data", (3000, 2000))
    uri = f"cache+parquet://{tmp_path}/data"
    text = job(uri=uri, env={"CLUSTER_SIZE": "3"})
    found = by_kind(made(text, runtime=runtime, output=Output(secrets="inline")))
    _write_secret(found, tmp_path / "secret")
    cluster = Cluster(tmp_path)
    head, worker = pods(found["LeaderWorkerSet"])
    for whose, pod in (("head", head), ("w1", worker), ("w2", worker)):
        cluster.mounted(pod["containers"][0], pod, whose)
    of_worker = worker["containers"][0]
    with cluster.serving(of_worker, "w1") as one, cluster.serving(of_worker, "w2") as two:
        listed = f"127.0.0.1:{one[0]},127.0.0.1:{two[0]}"
        serving = cluster.serving(head["containers"][0], "head", TRAINC_CACHE_WORKERS=listed)
        with serving as (port, health):
            waiter, pod = container_of(found["JobSet"], "dataset-initializer")
            cluster.mounted(waiter, pod, "waiter")
            waited = cluster.environ(waiter, "waiter", CACHE_HEAD=f"127.0.0.1:{health}",
                                     TRAINC_WORKSPACE=str(tmp_path / "work"))  # fmt: skip
            done = subprocess.run([sys.executable, "-m", "trainc.initializers", "dataset"],
                                  env=waited, capture_output=True, text=True)  # fmt: skip
            assert done.returncode == 0, done.stderr
            node, pod = container_of(found["JobSet"], "node")
            if "volumeMounts" in node:
                cluster.mounted(node, pod, "node")
            scheme = env_of(node)["TRAINC_CACHE_ADDRESS"].partition("://")[0]
            address = f"{scheme}://127.0.0.1:{port}"
            environ = cluster.environ(node, "node", TRAINC_CACHE_ADDRESS=address)
            read = subprocess.run([sys.executable, "-c", READER], env=environ,
                                  capture_output=True, text=True)  # fmt: skip
            assert read.stdout.split() == [str(ROWS), str(ROWS), str(sum(range(ROWS)))], read.stderr


def _write_secret(found: Mapping[str, Any], folder: Path) -> None:
    """The printed Secret, its certificate one that names the loopback."""
    folder.mkdir()
    if "Secret" not in found:
        return
    pair = tls_pair(["127.0.0.1"], datetime.now(UTC))
    ours = {"ca.crt": pair.ca, "tls.crt": pair.certificate, "tls.key": pair.key}
    for key, text in {**found["Secret"]["stringData"], **ours}.items():
        (folder / key).write_text(text)
