"""JobSets that are right and use as much of the API as goes together: what the cases change."""

from __future__ import annotations

import copy
import json
from typing import Any

_CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "storageClassName": "fast",
    "volumeMode": "Filesystem",
    "selector": {"matchLabels": {"a": "b"}},
    "dataSource": {"name": "snap", "kind": "PersistentVolumeClaim"},
}
_SELECTOR = {
    "matchLabels": {"app": "x"},
    "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}],
}


def _jobset(pod: dict[str, Any], job: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": pod}
    rjob = {
        "name": "node",
        "replicas": 1,
        "groupName": "default",
        "template": {
            "metadata": {"labels": {"example.com/step": "trainer"}, "annotations": {"e": "f"}},
            "spec": {"parallelism": 2, "completions": 2, **(job or {}), "template": template},
        },
    }
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": "mnist", "namespace": "team-a"},
        "spec": {"replicatedJobs": [rjob], "suspend": False, **spec},
    }


_NODE: dict[str, Any] = {"name": "node", "image": "example.com/train:1"}
_PLAIN = _jobset({"containers": [_NODE]})
_CONTAINERS = _jobset(
    {
        "containers": [
            {
                **_NODE,
                "imagePullPolicy": "IfNotPresent",
                "terminationMessagePolicy": "File",
                "command": ["torchrun"],
                "args": ["train.py"],
                "env": [
                    {"name": "A", "value": "1"},
                    {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {
                        "name": "C",
                        "valueFrom": {
                            "resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}
                        },
                    },
                    {"name": "D", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}},
                    {"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                ],
                "envFrom": [
                    {"prefix": "P_", "secretRef": {"name": "s"}},
                    {"configMapRef": {"name": "cm"}},
                ],
                "ports": [
                    {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                    {"containerPort": 9090, "hostPort": 9090, "hostIP": "10.0.0.1"},
                ],
                "resources": {
                    "limits": {"cpu": "2", "nvidia.com/gpu": "1", "hugepages-2Mi": "4Mi"},
                    "requests": {"cpu": "1", "nvidia.com/gpu": "1", "memory": "1Gi"},
                    "claims": [{"name": "imex", "request": "r"}],
                },
                "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}],
                "volumeMounts": [
                    {"name": "shm", "mountPath": "/dev/shm"},
                    {
                        "name": "data",
                        "mountPath": "/data",
                        "subPath": "a/b",
                        "readOnly": True,
                        "recursiveReadOnly": "IfPossible",
                        "mountPropagation": "None",
                    },
                    {"name": "data", "mountPath": "/expr", "subPathExpr": "$(A)"},
                ],
                "volumeDevices": [{"name": "raw", "devicePath": "/dev/xvda"}],
                "livenessProbe": {
                    "httpGet": {
                        "port": "http",
                        "path": "/",
                        "scheme": "HTTP",
                        "httpHeaders": [{"name": "X-A", "value": "b"}],
                    },
                    "initialDelaySeconds": 1,
                    "successThreshold": 1,
                    "terminationGracePeriodSeconds": 10,
                },
                "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 3},
                "startupProbe": {"exec": {"command": ["true"]}, "failureThreshold": 9},
                "lifecycle": {
                    "preStop": {"sleep": {"seconds": 5}},
                    "postStart": {"exec": {"command": ["true"]}},
                },
                "securityContext": {
                    "runAsUser": 1000,
                    "runAsGroup": 1000,
                    "privileged": False,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]},
                    "procMount": "Default",
                    "seccompProfile": {"type": "RuntimeDefault"},
                    "appArmorProfile": {"type": "Unconfined"},
                },
            },
            {"name": "side", "image": "b", "restartPolicy": "Never"},
        ],
        "initContainers": [
            {"name": "pre", "image": "c"},
            {
                "name": "log",
                "image": "d",
                "restartPolicy": "Always",
                "startupProbe": {"grpc": {"port": 9, "service": ""}},
                "ports": [{"containerPort": 9}],
            },
        ],
        "volumes": [
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "raw", "persistentVolumeClaim": {"claimName": "raw"}},
        ],
        "resourceClaims": [{"name": "imex", "resourceClaimTemplateName": "imex"}],
    }
)
_VOLUMES = _jobset(
    {
        "containers": [_NODE],
        "volumes": [
            {"name": "none"},
            {"name": "host", "hostPath": {"path": "/dev", "type": "Directory"}},
            {
                "name": "secret",
                "secret": {
                    "secretName": "s",
                    "defaultMode": 256,
                    "items": [{"key": "k", "path": "p", "mode": 420}],
                },
            },
            {"name": "cm", "configMap": {"name": "cm", "items": [{"key": "k", "path": "a/b"}]}},
            {
                "name": "down",
                "downwardAPI": {
                    "items": [
                        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                        {
                            "path": "cpu",
                            "resourceFieldRef": {"containerName": "node", "resource": "limits.cpu"},
                        },
                    ]
                },
            },
            {
                "name": "proj",
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"secret": {"name": "s", "items": [{"key": "k", "path": "x"}]}},
                        {"configMap": {"name": "cm", "items": [{"key": "k", "path": "y"}]}},
                        {
                            "downwardAPI": {
                                "items": [{"path": "z", "fieldRef": {"fieldPath": "metadata.uid"}}]
                            }
                        },
                        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                    ],
                },
            },
            {
                "name": "csi",
                "csi": {"driver": "csi.example.com", "nodePublishSecretRef": {"name": "s"}},
            },
            {
                "name": "eph",
                "ephemeral": {
                    "volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": _CLAIM}
                },
            },
            {"name": "img", "image": {"reference": "example.com/model:1", "pullPolicy": "Always"}},
            {"name": "nfs", "nfs": {"server": "s", "path": "/p"}},
            {
                "name": "iscsi",
                "iscsi": {"targetPortal": "p", "iqn": "iqn.2001-04.com.x:a", "lun": 0},
            },
            {"name": "fc", "fc": {"targetWWNs": ["a"], "lun": 1}},
            {"name": "rbd", "rbd": {"monitors": ["m"], "image": "i"}},
            {"name": "ceph", "cephfs": {"monitors": ["m"]}},
            {"name": "gce", "gcePersistentDisk": {"pdName": "p", "partition": 1}},
            {"name": "aws", "awsElasticBlockStore": {"volumeID": "v", "partition": 1}},
            {"name": "azf", "azureFile": {"secretName": "s", "shareName": "n"}},
            {
                "name": "azd",
                "azureDisk": {"diskName": "d", "diskURI": "https://x", "kind": "Shared"},
            },
            {"name": "vs", "vsphereVolume": {"volumePath": "p"}},
            {"name": "flex", "flexVolume": {"driver": "d"}},
            {"name": "git", "gitRepo": {"repository": "r"}},
            {"name": "glu", "glusterfs": {"endpoints": "e", "path": "p"}},
            {"name": "flo", "flocker": {"datasetName": "d"}},
            {"name": "px", "portworxVolume": {"volumeID": "v"}},
            {
                "name": "sio",
                "scaleIO": {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": {}},
            },
            {"name": "sos", "storageos": {"volumeName": "v"}},
            {"name": "qb", "quobyte": {"registry": "r:1", "volume": "v"}},
            {"name": "cin", "cinder": {"volumeID": "v"}},
            {"name": "pho", "photonPersistentDisk": {"pdID": "p"}},
        ],
    }
)
_POD = _jobset(
    {
        "containers": [
            {**_NODE, "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}
        ],
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": 30,
        "activeDeadlineSeconds": 600,
        "dnsPolicy": "None",
        "dnsConfig": {
            "nameservers": ["10.0.0.1"],
            "searches": ["a.b"],
            "options": [{"name": "ndots", "value": "5"}],
        },
        "nodeSelector": {"a": "b"},
        "serviceAccountName": "sa",
        "hostname": "h",
        "priorityClassName": "high",
        "runtimeClassName": "nvidia",
        "preemptionPolicy": "Never",
        "schedulerName": "volcano",
        "imagePullSecrets": [{"name": "pull"}],
        "shareProcessNamespace": True,
        "os": {"name": "linux"},
        "overhead": {"cpu": "10m"},
        "resources": {"limits": {"cpu": "4"}, "requests": {"cpu": "2"}},
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a.b"]}],
        "readinessGates": [{"conditionType": "example.com/a"}],
        "schedulingGates": [{"name": "example.com/a"}],
        "tolerations": [
            {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
            {"key": "c", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3},
            {"operator": "Exists"},
        ],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": _SELECTOR,
                "minDomains": 2,
                "nodeAffinityPolicy": "Honor",
                "nodeTaintsPolicy": "Ignore",
                "matchLabelKeys": ["x"],
            }
        ],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "a", "operator": "In", "values": ["b"]},
                                {"key": "c", "operator": "Gt", "values": ["1"]},
                            ],
                            "matchFields": [
                                {"key": "metadata.name", "operator": "In", "values": ["n"]}
                            ],
                        }
                    ]
                },
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
                    }
                ],
            },
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "topologyKey": "zone",
                        "labelSelector": _SELECTOR,
                        "namespaceSelector": _SELECTOR,
                        "namespaces": ["ns"],
                        "matchLabelKeys": ["k"],
                        "mismatchLabelKeys": ["m"],
                    }
                ]
            },
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": {"topologyKey": "host"}}
                ]
            },
        },
        "securityContext": {
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "supplementalGroups": [1],
            "fsGroupChangePolicy": "Always",
            "supplementalGroupsPolicy": "Merge",
            "sysctls": [{"name": "net.core.somaxconn", "value": "1"}],
            "seccompProfile": {"type": "Localhost", "localhostProfile": "a/b"},
        },
    }
)
_HOST = _jobset(
    {
        "containers": [
            {**_NODE, "ports": [{"containerPort": 80}], "securityContext": {"privileged": True}},
            {"name": "b", "image": "b", "ports": [{"containerPort": 81, "hostPort": 81}]},
        ],
        "hostNetwork": True,
        "hostPID": True,
        "hostIPC": True,
        "hostUsers": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
    }
)
_JOB = _jobset(
    {
        "containers": [_NODE],
        "initContainers": [{"name": "pre", "image": "c"}],
        "restartPolicy": "Never",
    },
    {
        "completionMode": "Indexed",
        "backoffLimit": 3,
        "backoffLimitPerIndex": 1,
        "maxFailedIndexes": 1,
        "activeDeadlineSeconds": 60,
        "ttlSecondsAfterFinished": 60,
        "podReplacementPolicy": "Failed",
        "managedBy": "example.com/a",
        "manualSelector": False,
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "FailJob",
                    "onExitCodes": {"operator": "In", "values": [64, 65], "containerName": "node"},
                },
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                },
                {"action": "FailIndex", "onExitCodes": {"operator": "NotIn", "values": [1]}},
            ]
        },
        "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 1}]},
    },
)
_SET = _jobset(
    {
        "containers": [{**_NODE, "volumeMounts": [{"name": "initializer", "mountPath": "/w"}]}],
    },
    None,
    network={"subdomain": "sub", "enableDNSHostnames": True, "publishNotReadyAddresses": True},
    successPolicy={"operator": "All", "targetReplicatedJobs": ["launcher"]},
    failurePolicy={
        "maxRestarts": 3,
        "restartStrategy": "Recreate",
        "rules": [
            {
                "name": "r",
                "action": "FailJobSet",
                "targetReplicatedJobs": ["node"],
                "onJobFailureReasons": ["BackoffLimitExceeded"],
            },
            {"name": "s", "action": "RestartJobSet"},
        ],
    },
    startupPolicy={"startupPolicyOrder": "AnyOrder"},
    coordinator={"replicatedJob": "node", "jobIndex": 0, "podIndex": 1},
    managedBy="jobset.sigs.k8s.io/jobset-controller",
    ttlSecondsAfterFinished=60,
    volumeClaimPolicies=[
        {
            "templates": [
                {"metadata": {"name": "initializer", "labels": {"a": "b"}}, "spec": _CLAIM}
            ],
            "retentionPolicy": {"whenDeleted": "Delete"},
        }
    ],
)
_EXCLUSIVE = _jobset({"containers": [_NODE]})
_EXCLUSIVE["metadata"]["annotations"] = {
    "alpha.jobset.sigs.k8s.io/exclusive-topology": "zone",
    "alpha.jobset.sigs.k8s.io/node-selector": "true",
}
_second = copy.deepcopy(_PLAIN["spec"]["replicatedJobs"][0])
_second.update(name="launcher", dependsOn=[{"name": "node", "status": "Ready"}])
_SET["spec"]["replicatedJobs"].append(_second)

BASES: list[dict[str, Any]] = [
    json.loads(json.dumps(base))  # shared parts become separate ones
    for base in (_PLAIN, _CONTAINERS, _VOLUMES, _POD, _HOST, _JOB, _SET, _EXCLUSIVE)
]
