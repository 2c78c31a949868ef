"""What is known about Kubernetes objects without asking a server: names, immutable fields, noise, secrets."""

import base64
import binascii
import copy
from typing import Any

from local.plugins.comparison import Path, differences
from local.plugins.properties import UNKNOWN, Properties, secret
from local.plugins.provider import Diff

AUTONAMED = "pulumi.com/autonamed"
PATCH_FORCE = "pulumi.com/patchForce"

_ALWAYS_IMMUTABLE: tuple[Path, ...] = (
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
)
# Kind -> fields that the API server refuses to change (Kubernetes API reference): the object is replaced.
_IMMUTABLE: dict[str, tuple[Path, ...]] = {
    "ClusterRoleBinding": (("roleRef",),),
    "CustomResourceDefinition": (("spec", "group"), ("spec", "scope"), ("spec", "names", "kind")),
    "DaemonSet": (("spec", "selector"),),
    "Deployment": (("spec", "selector"),),
    "Job": (
        ("spec", "template"),
        ("spec", "selector"),
        ("spec", "completions"),
        ("spec", "completionMode"),
        ("spec", "podFailurePolicy"),
    ),
    "PersistentVolumeClaim": (
        ("spec", "accessModes"),
        ("spec", "selector"),
        ("spec", "storageClassName"),
        ("spec", "volumeMode"),
        ("spec", "volumeName"),
    ),
    "Pod": (("spec",),),
    "PriorityClass": (("value",), ("preemptionPolicy",)),
    "ReplicaSet": (("spec", "selector"),),
    "RoleBinding": (("roleRef",),),
    "Secret": (("type",),),
    "Service": (("spec", "clusterIP"), ("spec", "clusterIPs")),
    "StatefulSet": (
        ("spec", "podManagementPolicy"),
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "volumeClaimTemplates"),
    ),
    "StorageClass": (("parameters",), ("provisioner",), ("reclaimPolicy",), ("volumeBindingMode",)),
}
# As the official plugin has it: other contents make another object, unless the provider says they are mutable
# (enableConfigMapMutable, enableSecretMutable) and the object does not say `immutable: true`.
_CONTENTS: tuple[Path, ...] = (("data",), ("binaryData",), ("stringData",), ("immutable",))


def complete(inputs: Properties, token: str, logical_name: str, old: Properties, seed: bytes) -> Properties:
    """The manifest with the parts that a program may leave out: apiVersion, kind and name.

    A missing name becomes the resource's name and 8 hexadecimal digits, kept over updates.

    Args:
        inputs: The program's manifest.
        token: The resource type, ``kubernetes:apps/v1:Deployment``; the core group is called ``core``.
        logical_name: The resource's name in the program.
        old: The inputs of the last update, if there was one.
        seed: At least 4 random bytes.
    """
    _, version, kind = token.split(":")
    manifest = {"apiVersion": version.removeprefix("core/"), "kind": kind, **copy.deepcopy(inputs)}
    metadata = manifest.setdefault("metadata", {})
    if isinstance(metadata, dict) and not metadata.get("name"):
        before = old.get("metadata", {})
        kept = before.get("name") if AUTONAMED in before.get("annotations", {}) else None
        metadata["name"] = kept or f"{logical_name}-{(seed + bytes(4))[:4].hex()}"
        metadata["annotations"] = {**metadata.get("annotations", {}), AUTONAMED: "true"}
    return manifest


def compare(old: Properties, new: Properties, mutable_kinds: frozenset[str]) -> Diff:
    """What an update from ``old`` to ``new`` would change, and whether the object has to be replaced for it.

    Args:
        old: The manifest of the last update.
        new: The manifest to reach.
        mutable_kinds: Of ConfigMap and Secret, the kinds whose contents may change in place.
    """
    found = list(differences(old, new))
    immutable = _ALWAYS_IMMUTABLE + _immutable_fields(new, mutable_kinds, locked=old.get("immutable") is True)
    replaces = frozenset(
        str(item) for item in found if any(_touches(item.path, field) for field in immutable)
    )
    same_name = identity(old) == identity(new) and AUTONAMED not in annotations(new)
    return Diff(found, replaces, delete_first=bool(replaces) and same_name)


def _immutable_fields(
    manifest: Properties, mutable_kinds: frozenset[str], *, locked: bool
) -> tuple[Path, ...]:
    kind = str(manifest.get("kind"))
    fields = _IMMUTABLE.get(kind, ())
    if kind in {"ConfigMap", "Secret"} and (locked or kind not in mutable_kinds):
        fields += _CONTENTS
    return fields


def _touches(path: Path, field: Path) -> bool:
    """Whether a change at ``path`` changes ``field``: it is inside it, or contains it."""
    return path[: len(field)] == field or field[: len(path)] == path


def identity(manifest: Properties) -> tuple[str, str]:
    """Namespace ("" if none is given) and name."""
    metadata = manifest.get("metadata", {})
    return metadata.get("namespace", ""), metadata.get("name", "")


def annotations(manifest: Properties) -> dict[str, str]:
    """The annotations, if they are known."""
    found = manifest.get("metadata", {}).get("annotations")
    return found if isinstance(found, dict) else {}


def describe(manifest: Properties) -> str:
    """The object in a message: ``ConfigMap day2-system/settings``."""
    namespace, name = identity(manifest)
    return f"{manifest.get('kind')} {namespace}/{name}" if namespace else f"{manifest.get('kind')} {name}"


def outputs_of(live: Properties) -> Properties:
    """A live object without what changes by itself: ``status`` and the server's bookkeeping."""
    metadata = dict(live.get("metadata", {}))
    for noise in ("managedFields", "resourceVersion", "generation", "selfLink"):
        metadata.pop(noise, None)
    rest = {key: value for key, value in live.items() if key not in {"status", "metadata"}}
    return {**rest, "metadata": metadata}


def with_secrets(manifest: Properties) -> Properties:
    """The manifest with the contents of a Secret marked as secret."""
    if manifest.get("kind") != "Secret":
        return manifest
    return {
        key: secret(value) if key in {"data", "stringData"} and value != UNKNOWN else value
        for key, value in manifest.items()
    }


def with_string_data(manifest: Properties, inputs: Properties) -> Properties:
    """A live Secret with the ``stringData`` that ``inputs`` set: the API server keeps ``data`` only."""
    wanted = inputs.get("stringData")
    if not isinstance(wanted, dict):
        return manifest
    data: dict[str, Any] = manifest.get("data") or {}
    return {**manifest, "stringData": {key: _decoded(data[key]) for key in wanted if key in data}}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
