"""A pod template of an old job, with names and labels of today's pods.

In: the template, changed in place. Out: host names, label selectors and fields that name pods as a
JobSet names them; what does not follow mechanically is listed at its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trainc import names
from trainc.edit.migration.hosts import Group, Hosts
from trainc.edit.migration.labels import HINT, PREFIX, field_of, key_of, selected
from trainc.edit.migration.part import Lost, Part, Path, new
from trainc.edit.migration.sequence import list_like, map_like, rename_key, text_like

_INDEX = names.JOB_COMPLETION_INDEX
_POD_NAME = "metadata.name"
_LABEL_KEYS = ("matchLabelKeys", "mismatchLabelKeys")
# Names of other objects, and places in a file system: no host stands there.
_NO_HOSTS = frozenset(
    {
        "image",
        "name",
        "claimName",
        "secretName",
        "configMapName",
        "serviceAccountName",
        "serviceAccount",
        "mountPath",
        "subPath",
        "subPathExpr",
        "workingDir",
        "path",
        "key",
        "runtimeClassName",
        "priorityClassName",
        "schedulerName",
        "labels",
        "matchLabels",
        "values",
        "nodeSelector",
        "resources",
        "imagePullPolicy",
    }
)
_PROGRAM = ("command", "args", "value")
_ADDRESS = r"(?:addr|address|host|hostname|endpoint|server|url)"


class Renaming:
    """Renames in one job's templates."""

    def __init__(self, hosts: Hosts, groups: Mapping[str, Group], lost: list[Lost]) -> None:
        """Takes the job's host names, and its pods by kind of replica."""
        self._hosts, self._groups, self._lost = hosts, groups, lost
        self._seen: set[int] = set()

    def template(self, replica: Part, kind: str) -> None:
        """Renames in the pod template of a replica."""
        template = replica.node.get("template")
        path: Path = (*replica.path, "template")
        if not isinstance(template, dict) or id(template) in self._seen:
            return
        spec = template.get("spec")
        for place in ("initContainers", "containers"):
            each = spec.get(place) if isinstance(spec, dict) else None
            for index, container in enumerate(each if isinstance(each, list) else []):
                if isinstance(container, dict):
                    self._pod_name(container, (*path, "spec", place, index), kind)
        self._visit(template, path)

    def _visit(self, node: Any, path: Path) -> None:
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, dict):
            if str(node.get("key")).startswith(PREFIX):
                self._expression(node, path)
                return
            for key in list(node):
                self._entry(node, key, (*path, key))
        elif isinstance(node, list):
            for index in range(len(node)):
                self._entry(node, index, (*path, index))

    def _entry(self, node: Any, key: str | int, path: Path) -> None:
        value = node[key]
        if isinstance(key, str) and key.startswith(PREFIX):
            if path[-3:-1] != ("metadata", "labels"):  # the operator wrote over those
                self._label(node, key, value, path)
        elif isinstance(value, str):
            self._leaf(node, key, value, path)
        elif key not in _NO_HOSTS or key in ("labels", "matchLabels"):
            self._visit(value, path)

    def _leaf(self, node: Any, key: str | int, value: str, path: Path) -> None:
        field = next((step for step in reversed(path) if isinstance(step, str)), "")
        if PREFIX in value:
            self._old_label(node, key, value, field, path)
        elif not _NO_HOSTS & {field, *path[-2:-1]}:
            name = self._hosts.renamed(value, path, self._lost)
            if name != value:
                node[key] = text_like(value, name)
            if field in _PROGRAM:
                self._hosts.warn_of_own(value, path, self._lost)

    def _old_label(self, node: Any, key: str | int, value: str, field: str, path: Path) -> None:
        """A text that names an old label."""
        name: str | None = None
        if field == "fieldPath":
            name = field_of(value, self._groups)
        elif field in _LABEL_KEYS:
            name = key_of(value, self._groups)
        if name is None:
            self._lose(path)
        else:
            node[key] = text_like(value, name)

    def _label(self, node: Any, key: str, value: Any, path: Path) -> None:
        """An entry of ``matchLabels``."""
        label = selected(key, str(value), self._hosts.name, self._groups)
        if path[-2] != "matchLabels" or label is None or label.key in node:
            self._lose(path)
            return
        node[key] = text_like(value, label.value) if isinstance(value, str) else label.value
        rename_key(node, key, label.key)

    def _expression(self, node: Any, path: Path) -> None:
        """An item of ``matchExpressions``."""
        key, values = node["key"], node.get("values")
        if node.get("operator") in ("Exists", "DoesNotExist"):
            name = key_of(key, self._groups)
            if name is not None:
                node["key"] = text_like(key, name)
                return
        each = values if isinstance(values, list) else []
        labels = [selected(key, str(value), self._hosts.name, self._groups) for value in each]
        sound = [label for label in labels if label is not None]
        if not sound or len(sound) < len(labels):
            self._lose((*path, "key"))
            return
        node["key"] = text_like(key, sound[0].key)
        for index, label in enumerate(sound):
            each[index] = label.value

    def _lose(self, path: Path) -> None:
        self._lost.append(Lost(path, "no pod has this label of the old operator", HINT))

    def _pod_name(self, container: Any, path: Path, kind: str) -> None:
        """A variable that holds the pod's name, which was its DNS name too."""
        env = container.get("env")
        for index, item in enumerate(env if isinstance(env, list) else []):
            source = item.get("valueFrom") if isinstance(item, dict) else None
            field = source.get("fieldRef") if isinstance(source, dict) else None
            if not isinstance(field, dict) or field.get("fieldPath") != _POD_NAME:
                continue
            name, place = str(item.get("name")), (*path, "env", index)
            if _is_address(name, container):
                container["env"] = self._with_own_host(env, item, kind)
                message = f"{name} holds the pod's DNS name now, {self._hosts.own(kind)}"
                hint = "in the API a pod's name has a random end"
            else:
                message = f"{name}: a pod's name has a random end now, and is no DNS name"
                hint = f"it answers as {self._hosts.own(kind)}"
            self._lost.append(Lost(place, message, hint, "warning"))
            env = container["env"]

    def _with_own_host(self, env: Any, item: Any, kind: str) -> list[Any]:
        """The variables, one of them with the DNS name, and the index before it."""

        def change(each: Any) -> Any:
            if each is not item:
                return each
            made = map_like({key: item[key] for key in item if key != "valueFrom"})
            made["value"] = self._hosts.own(kind)
            return made

        known = any(isinstance(each, dict) and each.get("name") == _INDEX for each in env)
        source = new(fieldRef=new(fieldPath=names.JOB_INDEX_FIELD))
        index = [] if known else [new(name=_INDEX, valueFrom=source)]
        return list_like(env, before=index, change=change)


def _is_address(name: str, container: Any) -> bool:
    """Whether a container's program uses a variable as an address."""
    variable = rf"\$[({{]?{re.escape(name)}\b[)}}]?"
    use = re.compile(rf"(?i:{_ADDRESS})[\w\-]*[=\s]+[\"']?{variable}|{variable}[.:]|//{variable}")
    texts: list[Any] = []
    for key in ("command", "args"):
        words = container.get(key)
        texts.append(" ".join(map(str, words)) if isinstance(words, list) else "")
    texts += [item.get("value") for item in container["env"] if isinstance(item, dict)]
    return any(isinstance(text, str) and use.search(text) for text in texts)
