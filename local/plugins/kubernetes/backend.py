"""The stand-in for pulumi-resource-kubernetes: any kind, through server-side apply on a real API server."""

import os
import threading

from local.plugins.comparison import drifted_inputs
from local.plugins.kubernetes import objects, operations
from local.plugins.kubernetes.client import Cluster, load_kubeconfig
from local.plugins.properties import Properties, has_unknown, without_nulls
from local.plugins.provider import Backend, CheckFailure, Diff, Found, ProviderError, Resource

_UNSUPPORTED = {
    "kubernetes:helm.sh/v3:Release": (
        "the Kubernetes stand-in of the embedded platform cannot install Helm charts. Set "
        "`operators.install: crds` in the stack file, as the local stack does, or use the official plugin."
    ),
}


class KubernetesBackend(Backend):
    """One provider instance: one cluster."""

    name = "kubernetes"
    version = "4.34.2"

    def __init__(self) -> None:
        self._config: Properties = {}
        self._cluster = Cluster("")
        self._mutable_kinds: frozenset[str] = frozenset()
        threading.Thread(target=_import_client, daemon=True).start()

    def configure(self, config: Properties) -> None:
        """Remember the cluster; a kubeconfig that cannot be used is reported when a resource needs it."""
        self._config = config
        kubeconfig = config.get("kubeconfig") or os.environ.get("KUBECONFIG", "")
        if isinstance(kubeconfig, dict):  # contents in JSON, which the base has parsed
            import json  # noqa: PLC0415 rare

            kubeconfig = json.dumps(kubeconfig)
        self._cluster = Cluster(kubeconfig, config.get("context", ""))
        switches = (("ConfigMap", "enableConfigMapMutable"), ("Secret", "enableSecretMutable"))
        self._mutable_kinds = frozenset(kind for kind, switch in switches if config.get(switch) is True)
        self._cluster.warm_up()

    def replaces_provider(self, old: Properties, new: Properties) -> list[str]:
        """``clusterIdentifier`` decides where it is set; else another server is another cluster."""
        if old.get("clusterIdentifier") or new.get("clusterIdentifier"):
            return (
                ["clusterIdentifier"] if old.get("clusterIdentifier") != new.get("clusterIdentifier") else []
            )
        before, after = old.get("kubeconfig"), new.get("kubeconfig")
        if before == after or has_unknown([before, after]):
            return []
        return ["kubeconfig"] if _servers(before) != _servers(after) else []

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, list[CheckFailure]]:
        """Complete the manifest."""
        if resource.type in _UNSUPPORTED:
            raise ProviderError(_UNSUPPORTED[resource.type])
        if resource.type.endswith(("Patch", "List")) or resource.type.count("/") != 1:
            raise ProviderError(
                f"{resource.type} is not a kind of object; the Kubernetes stand-in of the embedded platform "
                "takes types of the form kubernetes:GROUP/VERSION:KIND"
            )
        manifest = objects.complete(without_nulls(new), resource.type, resource.name, old, seed)
        namespace = self._config.get("namespace")
        if (
            namespace
            and "namespace" not in manifest["metadata"]
            and operations.is_namespaced(self._cluster, manifest)
        ):
            manifest["metadata"]["namespace"] = namespace
        return objects.with_secrets(manifest), []

    def diff(self, resource: Resource, old: Properties, new: Properties) -> Diff:
        """Compare manifests."""
        del resource
        return objects.compare(old, new, self._mutable_kinds)

    def create(
        self, resource: Resource, inputs: Properties, *, preview: bool, timeout_seconds: float
    ) -> tuple[str, Properties]:
        """Apply a new object."""
        del resource
        if preview:
            return "", objects.with_secrets(
                operations.dry_run(self._cluster, inputs, force=self._force(inputs))
            )
        live = operations.create(
            self._cluster,
            inputs,
            force=self._force(inputs),
            adopt=self._config.get("upsertExistingObjects") is True,
            timeout_seconds=timeout_seconds,
        )
        return _identifier(live), objects.with_secrets(objects.outputs_of(live))

    def read(
        self, resource: Resource, identifier: str, inputs: Properties, outputs: Properties
    ) -> Found | None:
        """The live object, and the inputs as it has them."""
        manifest = inputs or _manifest_of(identifier, resource)
        live = operations.get(self._cluster, manifest)
        if live is None:
            return None
        found = objects.outputs_of(live)
        if not inputs:
            return Found(objects.with_secrets(found), objects.with_secrets(found))
        projected = drifted_inputs(
            inputs, objects.with_string_data(outputs, inputs), objects.with_string_data(found, inputs)
        )
        return Found(objects.with_secrets(found), objects.with_secrets(projected))

    def update(
        self,
        resource: Resource,
        identifier: str,
        old: Properties,
        outputs: Properties,
        new: Properties,
        *,
        preview: bool,
        timeout_seconds: float,
    ) -> Properties:
        """Apply the changed object."""
        del resource, identifier, old, outputs
        if preview:
            return objects.with_secrets(operations.dry_run(self._cluster, new, force=self._force(new)))
        live = operations.apply(self._cluster, new, force=self._force(new), timeout_seconds=timeout_seconds)
        return objects.with_secrets(objects.outputs_of(live))

    def delete(
        self,
        resource: Resource,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
        *,
        timeout_seconds: float,
    ) -> None:
        """Delete the object and wait until it is gone."""
        manifest = outputs if outputs.get("kind") else inputs or _manifest_of(identifier, resource)
        operations.delete(self._cluster, manifest, timeout_seconds=timeout_seconds)

    def _force(self, manifest: Properties) -> bool:
        said = objects.annotations(manifest).get(objects.PATCH_FORCE)
        return said == "true" or (said is None and self._config.get("enablePatchForce") is True)


def _identifier(manifest: Properties) -> str:
    namespace, name = objects.identity(manifest)
    return f"{namespace}/{name}" if namespace else name


def _manifest_of(identifier: str, resource: Resource) -> Properties:
    namespace, _, name = identifier.rpartition("/")
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return objects.complete({"metadata": metadata}, resource.type, resource.name, {}, b"")


def _servers(kubeconfig: object) -> list[str] | None:
    try:
        parsed = load_kubeconfig(str(kubeconfig or ""))
    except ProviderError:
        return None
    return sorted(str(item.get("cluster", {}).get("server")) for item in parsed["clusters"])


def _import_client() -> None:
    import kubernetes.client  # noqa: F401, PLC0415 loads while the engine starts the program
