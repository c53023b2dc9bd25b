"""torchtune: the whole command line by model, count, processes and kind of LoRA."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trainc.sample import compiled, replicated_job, runtime, trainjob

LORA = "model.lora_attn_modules=[q_proj]"
QLORA = f"{LORA}, model.quantize_base=True"


def texts(
    model: str,
    *,
    args: str = "",
    trainer: str = "",
    gpus: int = 0,
    nodes: int = 1,
    command: str = "",
) -> tuple[str, str]:
    """A tune job and its runtime."""
    limits = f"resources: {{limits: {{nvidia.com/gpu: {gpus}}}}}" if gpus else ""
    container = ", ".join(part for part in (limits, command) if part)
    own = f"{{command: [tune, run], args: [{args}]{trainer}}}"
    return (
        trainjob(trainer=own).replace("{name: rt}", f"{{name: {model}}}"),
        runtime(f"{{numNodes: {nodes}, torch: {{}}}}", name=model,
                jobs=replicated_job(container=container)),
    )  # fmt: skip


@dataclass(frozen=True)
class TestCase:
    __test__ = False
    name: str
    texts: tuple[str, str]
    want: list[str]


B1, B70, QWEN = "torchtune-llama3.2-1b", "torchtune-llama3.3-70b", "torchtune-qwen2.5-1.5b"
HERE, OUT = "--rdzv_endpoint=m-node-0-0.m:29500", "output_dir=/workspace/output"

CASES = [
    TestCase("one GPU, all weights", texts(B1, gpus=1),
             ["full_finetune_single_device", "--config", "llama3_2/1B_full_single_device"]),
    TestCase("one GPU, LoRA", texts(B1, gpus=1, args=LORA.replace("[q_proj]", "q")),
             ["lora_finetune_single_device", "--config", "llama3_2/1B_lora_single_device"]),
    TestCase("one GPU, QLoRA",
             texts(B1, gpus=1, args=QLORA.replace("[q_proj]", "q")),
             ["lora_finetune_single_device", "--config", "llama3_2/1B_qlora_single_device"]),
    TestCase("DoRA is no QLoRA",
             texts(B1, gpus=1, args=QLORA.replace("[q_proj]", "q") + ", model.use_dora=TRUE"),
             ["lora_finetune_single_device", "--config", "llama3_2/1B_lora_single_device"]),
    TestCase("two GPUs, all weights", texts(B1, gpus=2),
             [HERE, "full_finetune_distributed", "--config", "llama3_2/1B_full"]),
    TestCase("two GPUs, LoRA", texts(QWEN, gpus=2, args=LORA.replace("[q_proj]", "q")),
             [HERE, "lora_finetune_distributed", "--config", "qwen2_5/1.5B_lora"]),
    TestCase("one process wanted", texts(B1, gpus=4, trainer=", numProcPerNode: 1"),
             ["full_finetune_single_device", "--config", "llama3_2/1B_full_single_device"]),
    TestCase("two processes wanted", texts(B1, trainer=", numProcPerNode: 2"),
             [HERE, "full_finetune_distributed", "--config", "llama3_2/1B_full"]),
    TestCase("several nodes", texts(B70, nodes=2, gpus=8),
             [HERE, "full_finetune_distributed", "--config", "llama3_3/70B_full_multinode"]),
    TestCase("what the runtime fixes comes last",
             texts(B1, gpus=1, command=f"command: [tune, run, x, {OUT}, a.output_dir=no]"),
             ["full_finetune_single_device", "--config", "llama3_2/1B_full_single_device", OUT]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_command(case: TestCase) -> None:
    made = compiled(*case.texts)
    assert not made.errors
    assert made.container()["command"] == ["tune", "run", *case.want]
    assert "PET_NNODES" in made.env()
    assert not any(name.startswith("PET_MASTER") for name in made.env())


@dataclass(frozen=True)
class Refusal:
    __test__ = False
    name: str
    texts: tuple[str, str]
    want: set[str]


REFUSALS = [
    Refusal("a model torchtune has not", texts("torchtune-llama9-1b"), {"spec.runtimeRef.name"}),
    Refusal("a name without a model", texts("tune"), {"spec.runtimeRef.name"}),
    Refusal("a small model on several nodes", texts(B1, nodes=2), {"spec.trainer.numNodes"}),
    Refusal("LoRA on several nodes", texts(B70, nodes=2, args="model.lora_attn_modules=q"),
            {"spec.trainer.numNodes"}),
    Refusal("QLoRA of Qwen", texts(QWEN, gpus=1, args="model.quantize_base=true"),
            {"spec.runtimeRef.name"}),
    Refusal("QLoRA of a small Llama on two devices",
            texts(B1, gpus=2, args="model.quantize_base=true"),
            {"spec.trainer.numProcPerNode", "spec.trainer.resourcesPerNode"}),
    *(
        Refusal(f"{key} is the runtime's", texts(B1, gpus=1, args=f"a=b, {key}=x"),
                {"spec.trainer.args[1]"})
        for key in ("output_dir", "tokenizer.path", "tokenizer.merges_file",
                    "checkpointer.checkpoint_dir")
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_refuses(case: Refusal) -> None:
    made = compiled(*case.texts)
    assert {error.partition(": ")[0] for error in made.errors} == case.want


def test_another_command_is_left_alone() -> None:
    job, rt = texts(B1, gpus=1)
    made = compiled(job.replace("[tune, run]", "[tune, run, mine]"), rt)
    assert made.container()["command"] == ["tune", "run", "mine"]
    assert made.env()["PET_MASTER_PORT"] == "29500"
