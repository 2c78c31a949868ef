"""What happens to one object on the API server: dry run, create, apply, read, delete, and the waiting."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from local.plugins.kubernetes import objects
from local.plugins.kubernetes.client import FIELD_MANAGER, ApiError, Cluster, Manifest, UnknownKindError
from local.plugins.properties import has_unknown
from local.plugins.provider import ProviderError

NOT_FOUND, CONFLICT, INVALID = 404, 409, 422
# A CRD or a namespace made in the same update is served a moment later.
APPEAR_SECONDS = 15.0
_TRY_AGAIN = frozenset({429, 503})

Result = TypeVar("Result")


def is_namespaced(cluster: Cluster, manifest: Manifest) -> bool:
    """Whether objects of this kind live in a namespace; False if the server does not know the kind yet."""
    try:
        return bool(cluster.kind(manifest["apiVersion"], manifest["kind"])["namespaced"])
    except (UnknownKindError, ProviderError):
        return False


def dry_run(cluster: Cluster, manifest: Manifest, *, force: bool) -> Manifest:
    """What the server would make of the manifest, after its schema and its admission have judged it.

    A manifest with unknown values, or whose CRD or namespace does not exist yet, is returned as it is: the
    same update may create what is missing. So is one that changes immutable fields of an object about to be
    replaced.

    Raises:
        ProviderError: The server refuses it.
    """
    if has_unknown(manifest):
        return manifest
    try:
        return objects.outputs_of(cluster.apply(manifest, force=force, dry_run=True))
    except UnknownKindError:
        return manifest
    except ApiError as error:
        if error.code == NOT_FOUND or _is_immutability(error):
            return manifest
        raise _explained(error, manifest) from error


def create(
    cluster: Cluster, manifest: Manifest, *, force: bool, adopt: bool, timeout_seconds: float
) -> Manifest:
    """Create the object and return it; one left behind by an interrupted update is taken over.

    Raises:
        ProviderError: The server refuses it, or an object that Pulumi did not make is in the way.
    """
    existing = get(cluster, manifest)
    if existing is not None and existing["metadata"].get("deletionTimestamp"):
        _wait_until_gone(cluster, manifest, existing, timeout_seconds)
    elif existing is not None and not adopt and not _is_ours(existing):
        raise ProviderError(
            f"{objects.describe(manifest)} exists already and was not made by Pulumi. Rename the resource, "
            "delete the object, or set upsert_existing_objects on the provider to take it over."
        )
    return apply(cluster, manifest, force=force, timeout_seconds=timeout_seconds)


def apply(cluster: Cluster, manifest: Manifest, *, force: bool, timeout_seconds: float) -> Manifest:
    """Apply the object, wait until it can be used, and return it.

    Raises:
        ProviderError: The server refuses it, or it did not become usable in time.
    """
    live = _when_it_appears(lambda: cluster.apply(manifest, force=force, dry_run=False), cluster, manifest)
    if manifest["kind"] == "CustomResourceDefinition":
        _wait_until_established(cluster, live, timeout_seconds)
    return live


def get(cluster: Cluster, manifest: Manifest) -> Manifest | None:
    """The live object; None if it, its namespace or its kind does not exist."""
    try:
        return cluster.get(manifest)
    except UnknownKindError:
        return None
    except ApiError as error:
        raise _explained(error, manifest) from error


def delete(cluster: Cluster, manifest: Manifest, *, timeout_seconds: float) -> None:
    """Delete the object and wait until it is gone.

    Raises:
        ProviderError: The server refuses, or the object is still there after ``timeout_seconds``.
    """
    try:
        # Background, where the official plugin says Foreground: pods without a kubelet hold nobody up.
        answer = cluster.request("DELETE", cluster.path(manifest), propagationPolicy="Background")
    except UnknownKindError:
        return
    except ApiError as error:
        if error.code == NOT_FOUND:
            return
        raise _explained(error, manifest) from error
    uid = (answer.get("metadata") or {}).get("uid") or (answer.get("details") or {}).get("uid")
    _wait_until_gone(cluster, manifest, {"metadata": {"uid": uid}}, timeout_seconds)


def _when_it_appears(action: Callable[[], Result], cluster: Cluster, manifest: Manifest) -> Result:
    """Repeat ``action`` while the kind or the namespace it needs is still being made by the same update."""
    problem: ProviderError | None = None
    for _ in _delays(APPEAR_SECONDS):
        try:
            return action()
        except UnknownKindError as error:
            problem = ProviderError(
                f"{objects.describe(manifest)}: {error}. Install its CRD, and make this resource depend on "
                "the CRD if the same program installs it."
            )
        except ApiError as error:
            if error.code == NOT_FOUND:
                cluster.forget_kinds(manifest["apiVersion"])
            elif error.code not in _TRY_AGAIN:
                raise _explained(error, manifest) from error
            problem = _explained(error, manifest)
    raise problem or ProviderError(f"{objects.describe(manifest)}: no attempt was made")


def _wait_until_established(cluster: Cluster, definition: Manifest, timeout_seconds: float) -> None:
    conditions: dict[str, Manifest] = {}
    for _ in _delays(timeout_seconds):
        live = get(cluster, definition) or {}
        conditions = {item["type"]: item for item in live.get("status", {}).get("conditions") or []}
        if conditions.get("Established", {}).get("status") == "True":
            group = definition["spec"]["group"]
            for version in definition["spec"]["versions"]:
                cluster.forget_kinds(f"{group}/{version['name']}")
            return
    said = "; ".join(
        f"{name}={item['status']} {item.get('message', '')}" for name, item in conditions.items()
    )
    raise ProviderError(
        f"{objects.describe(definition)} was not established within {timeout_seconds:.0f} s: "
        f"{said or 'no condition yet'}"
    )


def _wait_until_gone(cluster: Cluster, manifest: Manifest, deleted: Manifest, timeout_seconds: float) -> None:
    live: Manifest | None = None
    for _ in _delays(timeout_seconds):
        live = get(cluster, manifest)
        if live is None or live["metadata"]["uid"] != (
            deleted["metadata"].get("uid") or live["metadata"]["uid"]
        ):
            return
    metadata = (live or {}).get("metadata", {})
    finalizers = metadata.get("finalizers") or (live or {}).get("spec", {}).get("finalizers") or []
    said = [
        item["message"]
        for item in (live or {}).get("status", {}).get("conditions") or []
        if item.get("message")
    ]
    raise ProviderError(
        f"{objects.describe(manifest)} is still there {timeout_seconds:.0f} s after its deletion; "
        f"finalizers: {', '.join(finalizers) or 'none'}{''.join(f'; {text}' for text in said)}. "
        "Find out which controller should remove the finalizer, or raise customTimeouts.delete."
    )


def _delays(limit_seconds: float) -> Iterator[None]:
    """Yield at once, then after growing pauses (50 ms to 1 s), until the limit has passed."""
    end = time.monotonic() + limit_seconds
    pause = 0.05
    yield
    while time.monotonic() < end:
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
        yield


def _is_ours(live: Manifest) -> bool:
    managers = live["metadata"].get("managedFields", [])
    return any(entry.get("manager") == FIELD_MANAGER for entry in managers)


def _is_immutability(error: ApiError) -> bool:
    """Whether the server only complains about fields that cannot change in place."""
    messages = [str(cause.get("message", "")) for cause in error.causes] or [str(error)]
    signs = (
        "immutable",
        "may not change",
        "cannot change roleRef",
        "may not be set once",
        "updates to statefulset",
    )
    return error.code == INVALID and all(any(sign in message for sign in signs) for message in messages)


def _explained(error: ApiError, manifest: Manifest) -> ProviderError:
    what = objects.describe(manifest)
    conflicts = [cause for cause in error.causes if cause.get("reason") == "FieldManagerConflict"]
    if error.code == CONFLICT and conflicts:
        fields = "; ".join(f"{item.get('field')} ({item.get('message', '')})" for item in conflicts)
        return ProviderError(
            f"{what}: another field manager owns what this update sets: {fields}. Leave the field out, or "
            f'take it over with the annotation {objects.PATCH_FORCE}: "true" on the object.'
        )
    return ProviderError(f"{what}: the API server refuses it ({error.code}): {error}")
