"""HTTP to one API server: the official client's transport, with untyped objects and own discovery."""

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

import yaml

from local.plugins.provider import ProviderError

FIELD_MANAGER = "pulumi-kubernetes"
Manifest = dict[str, Any]


class ApiError(Exception):
    """An answer of the API server that is no success: its HTTP status and its Status object."""

    def __init__(self, code: int, status: Manifest) -> None:
        super().__init__(status.get("message") or f"HTTP {code}")
        self.code = code
        self.status = status

    @property
    def causes(self) -> list[Manifest]:
        """The fields it complains about, as the API server lists them."""
        causes: list[Manifest] = (self.status.get("details") or {}).get("causes") or []
        return causes


class UnknownKindError(Exception):
    """The API server does not serve this kind (any more, or yet)."""


class Cluster:
    """One API server. Made from provider inputs; connects at the first request.

    Args:
        kubeconfig: A path or the contents of a kubeconfig; empty for KUBECONFIG or ~/.kube/config.
        context: The kubeconfig context to use; empty for the current one.
    """

    def __init__(self, kubeconfig: str, context: str = "") -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._lock = threading.Lock()
        self._api: Any = None
        self._kinds: dict[str, dict[str, Manifest]] = {}
        self.default_namespace = "default"

    def connect(self) -> Any:
        """The connected official client; made once.

        Raises:
            ProviderError: The kubeconfig cannot be read or used.
        """
        with self._lock:
            if self._api is None:
                self._api = self._make_api()
        return self._api

    def _make_api(self) -> Any:
        # Imported here: it takes 0.6 s of CPU, and `warm_up` does it while the engine starts the program.
        from kubernetes import client, config  # noqa: PLC0415

        contents = load_kubeconfig(self._kubeconfig)
        configuration = client.Configuration()
        configuration.connection_pool_maxsize = 32
        configuration.retries = False
        try:
            base = (
                None
                if _is_contents(self._kubeconfig)
                else str(Path(self._kubeconfig).expanduser().resolve().parent)
            )
            loader = config.kube_config.KubeConfigLoader(  # type: ignore[no-untyped-call]  # published half typed
                config_dict=contents, active_context=self._context or None, config_base_path=base
            )
            loader.load_and_set(configuration)  # type: ignore[no-untyped-call]  # published half typed
            self.default_namespace = (loader.current_context["context"] or {}).get("namespace") or "default"
        except config.ConfigException as error:
            raise ProviderError(f"the kubeconfig {self.source} cannot be used: {error}") from error
        return client.ApiClient(configuration)

    def warm_up(self) -> None:
        """Import and connect in the background; errors come again, with a call to report them to."""

        def attempt() -> None:
            with contextlib.suppress(ProviderError):
                self.connect()

        threading.Thread(target=attempt, daemon=True).start()

    @property
    def source(self) -> str:
        """How to name the kubeconfig in a message."""
        return "given as contents" if _is_contents(self._kubeconfig) else repr(self._kubeconfig)

    def request(
        self, method: str, path: str, body: Manifest | None = None, *, content_type: str = "", **query: str
    ) -> Manifest:
        """Send one request; return the object of the answer.

        Raises:
            ApiError: The server answered with an error status.
            ProviderError: There was no answer.
        """
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        api = self.connect()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        arguments = api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = api.call_api(*arguments, _request_timeout=(5, 60))
            data = response.read()
        except HTTPError as error:
            reason = getattr(error, "reason", None) or error
            raise ProviderError(
                f"the Kubernetes API server {api.configuration.host} (kubeconfig {self.source}) does not "
                f"answer: {reason}. Start it, or point the kubeconfig at one that runs."
            ) from error
        answer = _decoded(data)
        if response.status >= 400:  # noqa: PLR2004 HTTP's first error status
            raise ApiError(response.status, answer)
        return answer

    def kind(self, api_version: str, kind: str) -> Manifest:
        """What discovery says about a kind: ``name`` (its plural), ``namespaced``.

        Raises:
            UnknownKindError: The server does not serve it at this moment.
        """
        known = self._kinds.get(api_version, {})
        if kind not in known:
            try:
                listed = self.request("GET", group_path(api_version)).get("resources", [])
            except ApiError as error:
                if error.code != 404:  # noqa: PLR2004 not found: an unknown group
                    raise
                listed = []
            known = {item["kind"]: item for item in listed if "/" not in item["name"]}
            self._kinds[api_version] = known
        if kind not in known:
            raise UnknownKindError(f"the API server does not serve {kind} of {api_version}")
        return known[kind]

    def forget_kinds(self, api_version: str) -> None:
        """Ask the server again about a group: one of its CRDs changed."""
        self._kinds.pop(api_version, None)

    def path(self, manifest: Manifest, *, collection: bool = False) -> str:
        """The URL path of an object, or of its collection.

        Raises:
            UnknownKindError: The server does not serve its kind.
        """
        found = self.kind(manifest["apiVersion"], manifest["kind"])
        metadata = manifest["metadata"]
        path = group_path(manifest["apiVersion"])
        if found["namespaced"]:
            path += f"/namespaces/{metadata.get('namespace') or self.default_namespace}"
        path += f"/{found['name']}"
        return path if collection else f"{path}/{metadata['name']}"

    def get(self, manifest: Manifest) -> Manifest | None:
        """The live object with this manifest's kind, name and namespace; None if there is none."""
        try:
            return self.request("GET", self.path(manifest))
        except ApiError as error:
            if error.code == 404:  # noqa: PLR2004 not found
                return None
            raise

    def apply(self, manifest: Manifest, *, force: bool, dry_run: bool) -> Manifest:
        """Server-side apply; with ``dry_run`` everything happens but the write."""
        query = {
            "fieldManager": FIELD_MANAGER,
            "fieldValidation": "Strict",
            "force": "true" if force else "false",
        }
        if dry_run:
            query["dryRun"] = "All"
        return self.request(
            "PATCH", self.path(manifest), manifest, content_type="application/apply-patch+yaml", **query
        )


def group_path(api_version: str) -> str:
    """The URL path of a group and version: ``v1`` is the core group."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def load_kubeconfig(kubeconfig: str) -> Manifest:
    """The parsed kubeconfig.

    Raises:
        ProviderError: There is no such file, or it is no kubeconfig.
    """
    text, where = kubeconfig, "given as contents"
    if not _is_contents(kubeconfig):
        path = Path(kubeconfig or "~/.kube/config").expanduser()
        where = str(path.resolve())
        try:
            text = path.read_text()
        except OSError as error:
            raise ProviderError(
                f"the kubeconfig {where} cannot be read: {error.strerror}. "
                "Set the provider's kubeconfig to a path or to the contents of one."
            ) from error
    try:
        parsed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProviderError(f"the kubeconfig {where} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(parsed, dict) or "clusters" not in parsed:
        raise ProviderError(
            f"the kubeconfig {where} has no 'clusters'; it must be a kubeconfig file or its contents"
        )
    return parsed


def _is_contents(kubeconfig: str) -> bool:
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{") or "clusters:" in kubeconfig


def _decoded(data: bytes | None) -> Manifest:
    try:
        answer = json.loads(data or b"{}")
    except ValueError:
        return {"message": (data or b"").decode(errors="replace").strip()}
    return answer if isinstance(answer, dict) else {"message": str(answer)}
