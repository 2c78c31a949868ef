"""What a cluster's API server tells, as plain data; what it doesn't tell is an error with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import urllib3
from kubernetes import client

from operations.errors import OperationsError

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE_SIZE = 500
_TIMEOUT_SECONDS = (5, 30)
"""To connect, and to read."""

_FORBIDDEN = 403
_NOT_FOUND = 404


class ClusterError(OperationsError):
    """Something that the API server doesn't tell; the text is the reason."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A kind of object that the API server serves and lists.

    Attributes:
        group: API group.
        version: The version in which it is read.
        plural: Name in URLs and RBAC rules.
        kind: Kind of the objects.
    """

    group: str
    version: str
    plural: str
    kind: str


class Cluster:
    """Reads one cluster."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._objects = client.CustomObjectsApi(api)
        self._groups: list[Any] | None = None

    def version(self) -> str:
        """Version of the API server, `v1.35.4`.

        Raises:
            ClusterError: It doesn't answer.
        """
        answer = self._ask(
            "the server's version",
            lambda: client.VersionApi(self._api).get_code(_request_timeout=_TIMEOUT_SECONDS),
        )
        return str(answer.git_version)

    def resources(self, group: str) -> list[Resource]:
        """Everything that can be listed in an API group, each kind in the version that the server prefers.

        Raises:
            ClusterError: The group isn't served, or the server doesn't answer.
        """
        if self._groups is None:
            self._groups = self._ask(
                "the list of API groups",
                lambda: client.ApisApi(self._api).get_api_versions(_request_timeout=_TIMEOUT_SECONDS),
            ).groups
        served = next((g for g in self._groups or [] if g.name == group), None)
        if served is None:
            raise ClusterError(f"API group {group} is not installed in this cluster")
        versions = [v.version for v in served.versions]
        preferred = served.preferred_version.version if served.preferred_version else versions[0]
        found: dict[str, Resource] = {}
        for version in sorted(versions, key=lambda v: v != preferred):
            for resource in self._resources_of(group, version):
                found.setdefault(resource.plural, resource)
        return sorted(found.values(), key=lambda r: r.plural)

    def _resources_of(self, group: str, version: str) -> list[Resource]:
        answer = self._ask(
            f"the resources of {group}/{version}",
            lambda: self._objects.get_api_resources(group, version, _request_timeout=_TIMEOUT_SECONDS),
        )
        return [
            Resource(group=group, version=version, plural=r.name, kind=r.kind)
            for r in answer.resources
            if "list" in r.verbs and "/" not in r.name
        ]

    def resource(self, group: str, plural: str) -> Resource:
        """One kind of an API group.

        Raises:
            ClusterError: The group or the kind isn't served, or the server doesn't answer.
        """
        for resource in self.resources(group):
            if resource.plural == plural:
                return resource
        raise ClusterError(f"API group {group} has no {plural} in this cluster")

    def objects(self, resource: Resource, namespace: str | None = None) -> list[dict[str, Any]]:
        """All objects of a kind, as their API gives them.

        Args:
            resource: Kind, of any group but the core one.
            namespace: Namespace to look in, all of them if None.

        Raises:
            ClusterError: Reading them is forbidden, or the server doesn't answer.
        """
        kind = (resource.group, resource.version)
        what = f"{resource.plural}.{resource.group}" + (f" in namespace {namespace}" if namespace else "")

        def page(options: dict[str, Any]) -> dict[str, Any]:
            answer: Any
            if namespace is None:
                answer = self._objects.list_cluster_custom_object(*kind, resource.plural, **options)
            else:
                answer = self._objects.list_namespaced_custom_object(
                    *kind, namespace, resource.plural, **options
                )
            return answer  # type: ignore[no-any-return]  # a list of custom objects is a dict

        return self._pages(what, page)

    def namespaces(self) -> list[dict[str, Any]]:
        """All namespaces.

        Raises:
            ClusterError: Reading them is forbidden, or the server doesn't answer.
        """
        core = client.CoreV1Api(self._api)
        return self._pages(
            "namespaces",
            lambda options: self._api.sanitize_for_serialization(  # type: ignore[no-untyped-call]  # published without types
                core.list_namespace(**options)
            ),
        )

    def _pages(self, what: str, page: Callable[[dict[str, Any]], dict[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        options: dict[str, Any] = {"limit": _PAGE_SIZE, "_request_timeout": _TIMEOUT_SECONDS}
        while True:
            answer = self._ask(f"the list of {what}", partial(page, options))
            found += answer.get("items") or []
            token = (answer.get("metadata") or {}).get("continue")
            if not token:
                return found
            options = {**options, "_continue": token}

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except client.ApiException as error:
            if error.status == _FORBIDDEN:
                raise ClusterError(
                    f"{what} is forbidden: grant this service account the verb list"
                ) from error
            if error.status == _NOT_FOUND:
                raise ClusterError(f"{what} is not served by this cluster") from error
            raise ClusterError(f"{what} can't be had: {error.status} {error.reason}") from error
        except urllib3.exceptions.HTTPError as error:
            reason = type(getattr(error, "reason", None) or error).__name__
            raise ClusterError(f"{what} can't be had: the API server doesn't answer ({reason})") from error
