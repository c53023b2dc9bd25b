from __future__ import annotations

from trainc.sample import REFERENCE, Compiled, compiled, replicated_job, runtime, trainjob

INITIALIZER = replicated_job(
    "model-initializer",
    label="model-initializer",
    container="volumeMounts: [{name: initializer, mountPath: /workspace}]",
    pod="volumes: [{name: initializer, emptyDir: {}}]",
)
RUNTIME = runtime("{torch: {}}", jobs=INITIALIZER + replicated_job())
ASKING = RUNTIME.replace(
    "metadata: {name: rt}",
    'metadata: {name: rt, annotations: {trainc.dev/initializer-fail-fast: "true"}}',
)


def policy(made: Compiled, job: str) -> object:
    return made.job(job)["template"]["spec"].get("podFailurePolicy")


def test_an_asking_runtime_gets_the_policy_and_the_restart_policy_it_needs() -> None:
    made = compiled(trainjob(), ASKING)
    assert policy(made, "model-initializer") == {
        "rules": [
            {
                "action": "FailJob",
                "onExitCodes": {
                    "containerName": "model-initializer",
                    "operator": "In",
                    "values": [64, 65, 66, 74, 77],
                },
            }
        ]
    }
    assert made.pod("model-initializer")["restartPolicy"] == "Never"
    assert not made.errors


def test_the_trainer_is_left_alone() -> None:
    assert policy(compiled(trainjob(), ASKING), "node") is None


def test_nobody_else_gets_it() -> None:
    assert policy(compiled(trainjob(), RUNTIME), "model-initializer") is None
    assert policy(compiled(trainjob(), ASKING, compat=REFERENCE), "model-initializer") is None


def test_a_policy_of_its_own_stays() -> None:
    condition = "{type: X, status: 'True'}"
    own = f"podFailurePolicy: {{rules: [{{action: Ignore, onPodConditions: [{condition}]}}]}}"
    text = ASKING.replace("suspend: null", own, 1)
    rules = compiled(trainjob(), text).job("model-initializer")["template"]["spec"]
    assert rules["podFailurePolicy"]["rules"][0]["action"] == "Ignore"
