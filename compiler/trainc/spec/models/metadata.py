"""``metadata``, of an object and of a template.

In: what stands under the key. Out: ``ObjectMeta`` or ``TemplateMeta``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from trainc.spec.models.value import ApiType, Int64, Labels, Plain, Strings, Time


class OwnerReference(ApiType):
    """``metadata.ownerReferences[]``."""

    model_config = ConfigDict(extra="allow")

    api_version: str | None = None
    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(ApiType):
    """``metadata`` of an object; further keys are dropped by the API server.

    Attributes:
        name: ``metadata.name``; a build cannot invent one.
        namespace: ``metadata.namespace``; None is the namespace of the build.
    """

    model_config = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1)]
    generate_name: str | None = None
    namespace: str | None = None
    labels: Labels = {}
    annotations: Labels = {}
    finalizers: list[str] = []
    owner_references: list[OwnerReference] = []
    self_link: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: Int64 | None = None
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: Int64 | None = None
    managed_fields: list[Plain] = []


class TemplateMeta(ApiType):
    """``metadata`` of a template of a JobSet, Job or Pod."""

    name: str | None = None
    namespace: str | None = None
    labels: Strings = {}
    annotations: Strings = {}
    finalizers: list[str] = []
