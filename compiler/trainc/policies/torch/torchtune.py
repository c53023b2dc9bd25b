"""torchtune: a job whose command is ``tune run`` gets recipe and config from its runtime's name.

Source: ``pkg/runtime/framework/plugins/torch/torchtune.go`` of v2.3.0 and KEP-2401.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from trainc import codes, names
from trainc.errors import Problem
from trainc.info.info import Info
from trainc.info.place import with_trainers
from trainc.info.podset import PodSet
from trainc.info.rendezvous import PORT, first_host, resources_of_node
from trainc.kube.resources import gpus

LLAMA_1B, LLAMA_3B, LLAMA_70B, QWEN = "llama3_2/1B", "llama3_2/3B", "llama3_3/70B", "qwen2_5/1.5B"
MODELS: Final = (LLAMA_1B, LLAMA_3B, LLAMA_70B, QWEN)

# What the runtime fixes for its model; a job must not touch it.
FIXED: Final = frozenset(
    {
        "output_dir",
        "tokenizer.path",
        "tokenizer.merges_file",
        "checkpointer.checkpoint_dir",
    }
)


def is_tune(info: Info) -> bool:
    """Whether the job's command is exactly ``tune run``."""
    trainer = info.spec.job.trainer
    return trainer is not None and list(trainer.command or ()) == ["tune", "run"]


def tuned(info: Info, trainer: PodSet, processes: int | str) -> Info:
    """The job with the whole command line: rendezvous, recipe, config, the runtime's fixed keys."""
    gpu = gpus(resources_of_node(info, trainer))
    args = _args(info)
    recipe, suffix = _recipe(trainer.count, processes, gpu, args)
    command = ["tune", "run"]
    many = processes > 1 if isinstance(processes, int) else gpu > 1
    if trainer.count > 1 or many:
        command.append(f"--rdzv_endpoint={first_host(info, trainer)}:{PORT}")
    command += [recipe, "--config", _model(info) + suffix, *_overrides(info)]
    return with_trainers(info, lambda node: node._replace(command=tuple(command)))


def check_tune(info: Info) -> Iterator[Problem]:
    """What no recipe can do with the job's model, nodes and arguments."""
    spec = info.spec
    wanted = spec.job.trainer
    args = _args(info)
    model = _model(info)
    name = ("spec", "runtimeRef", "name")
    if model not in MODELS:
        known = ", ".join(MODELS)
        yield spec.problem(
            name, f'torchtune has no model "{model}"', hint=f"models: {known}", code=codes.POLICY
        )
    count = _count(info)
    nodes = ("spec", "trainer", "numNodes")
    if count > 1 and model != LLAMA_70B:
        yield spec.problem(
            nodes, f"torchtune trains {model} on one node, got {count}", code=codes.POLICY
        )
    processes: int | str = (wanted.num_proc_per_node if wanted else None) or "auto"
    _, suffix = _recipe(count, processes, gpus(resources_of_node(info, info.trainer)), args)
    if "_qlora" in suffix:
        yield from _check_qlora(info, model, suffix)
    if count > 1 and (_lora(args) or _qlora(args)):
        yield spec.problem(nodes, f"LoRA runs on one node, got {count}", code=codes.POLICY)
    for index, arg in enumerate(args):
        key = arg.partition("=")[0]
        if key in FIXED:
            message = f"{key} is fixed by the runtime"
            yield spec.problem(("spec", "trainer", "args", index), message, code=codes.POLICY)


def _check_qlora(info: Info, model: str, suffix: str) -> Iterator[Problem]:
    spec = info.spec
    if model == QWEN:
        message = f"QLoRA is not supported for {model}"
        yield spec.problem(("spec", "runtimeRef", "name"), message, code=codes.POLICY)
    if "_qlora_single_device" not in suffix and model in (LLAMA_1B, LLAMA_3B):
        for field in ("numProcPerNode", "resourcesPerNode"):
            message = f"QLoRA of {model} runs on one device"
            yield spec.problem(("spec", "trainer", field), message, code=codes.POLICY)


def _count(info: Info) -> int:
    """The nodes the limits are checked against."""
    trainer = info.trainer
    if trainer is not None and not info.spec.compat.keeps("torchtune-count"):
        return trainer.count
    wanted = info.spec.job.trainer
    return 1 if wanted is None or wanted.num_nodes is None else wanted.num_nodes


def _recipe(count: int, processes: int | str, gpu: int, args: Sequence[str]) -> tuple[str, str]:
    """The recipe and the suffix of its config, first match first (facts 3.6)."""
    if count == 1 and (processes == 1 or gpu == 1):
        if _qlora(args):
            return "lora_finetune_single_device", "_qlora_single_device"
        if _lora(args):
            return "lora_finetune_single_device", "_lora_single_device"
        return "full_finetune_single_device", "_full_single_device"
    if count == 1 and _qlora(args):
        return "lora_finetune_distributed", "_qlora"
    if count == 1 and _lora(args):
        return "lora_finetune_distributed", "_lora"
    return "full_finetune_distributed", "_full_multinode" if count > 1 else "_full"


def _lora(args: Sequence[str]) -> bool:
    return any("model.lora_attn_modules" in arg for arg in args)


def _qlora(args: Sequence[str]) -> bool:
    return _true(args, "model.quantize_base") and not _true(args, "model.use_dora")


def _true(args: Sequence[str], key: str) -> bool:
    for arg in args:
        name, equals, value = arg.partition("=")
        if equals and key in name and value.strip().lower() == "true":
            return True
    return False


def _args(info: Info) -> Sequence[str]:
    trainer = info.spec.job.trainer
    return (trainer.args if trainer else None) or ()


def _model(info: Info) -> str:
    """The model a runtime's name stands for: torchtune-llama3.2-1b is llama3_2/1B."""
    parts = info.spec.runtime.name.split("-")
    if len(parts) != 3:
        return ""
    return f"{parts[1].replace('.', '_')}/{parts[2].upper()}"


def _overrides(info: Info) -> Iterator[str]:
    """The fixed keys as the runtime's own command sets them, of every trainer in order."""
    for pod_set in info.pod_sets:
        node = pod_set.node if pod_set.ancestor == names.TRAINER else None
        for item in node.raw.get("command", ()) if node else ():
            if item.partition("=")[0] in FIXED:
                yield item
