"""What a user of the Kubeflow SDK does; run by the SDK's own environment, prints what it saw.

``python sdk_scenario.py KUBECONFIG NAMESPACE``; nothing of trainc is imported here.
"""

from __future__ import annotations

import json
import sys

from kubeflow.common.types import KubernetesBackendConfig
from kubeflow.trainer import (
    BuiltinTrainer,
    CustomTrainer,
    HuggingFaceDatasetInitializer,
    HuggingFaceModelInitializer,
    Initializer,
    TorchTuneConfig,
    TrainerClient,
)


def train_mnist() -> None:
    print("epoch 1 of 1")


def main() -> None:
    kubeconfig, namespace = sys.argv[1:]
    client = TrainerClient(
        backend_config=KubernetesBackendConfig(config_file=kubeconfig, namespace=namespace)
    )
    seen: dict[str, object] = {"runtimes": sorted(r.name for r in client.list_runtimes())}

    custom = client.train(
        runtime=client.get_runtime("torch-distributed"),
        trainer=CustomTrainer(
            func=train_mnist, num_nodes=2, resources_per_node={"cpu": 1, "memory": "1Gi"}
        ),
    )
    running = client.wait_for_job_status(custom, status={"Running"}, timeout=60, polling_interval=1)
    seen["running"] = {"status": running.status, "steps": sorted(s.name for s in running.steps)}
    seen["logs"] = list(client.get_job_logs(custom))
    print(json.dumps({"end": custom}), flush=True)
    done = client.wait_for_job_status(custom, timeout=60, polling_interval=1)
    seen["custom"] = done.status

    tuned = client.train(
        runtime=client.get_runtime("torchtune-llama3.2-1b"),
        initializer=Initializer(
            dataset=HuggingFaceDatasetInitializer(storage_uri="hf://tatsu-lab/alpaca/data"),
            model=HuggingFaceModelInitializer(
                storage_uri="hf://meta-llama/Llama-3.2-1B-Instruct", access_token="hf_x"
            ),
        ),
        trainer=BuiltinTrainer(config=TorchTuneConfig(resources_per_node={"gpu": 2})),
    )
    print(json.dumps({"end": tuned}), flush=True)
    done = client.wait_for_job_status(tuned, timeout=120, polling_interval=1)
    seen["builtin"] = {"status": done.status, "steps": sorted(s.name for s in done.steps)}

    seen["jobs"] = sorted(job.name for job in client.list_jobs()) == sorted([custom, tuned])
    seen["events"] = sorted({event.reason for event in client.get_job_events(custom)})
    for name in (custom, tuned):
        client.delete_job(name)
    seen["left"] = len(client.list_jobs())
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
