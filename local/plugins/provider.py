"""The ResourceProvider service that the provider stand-ins share: what they differ in is a `Backend`."""

import functools
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc  # type: ignore[import-untyped]  # published without types
from google.protobuf import empty_pb2

from local.plugins.comparison import Difference
from local.plugins.properties import Properties, from_struct, to_struct
from local.plugins.serving import serve
from local.plugins.stubs import plugin_pb2, provider_pb2, provider_pb2_grpc


class ProviderError(Exception):
    """A failure whose text is meant for the user: what failed, where, how to mend it."""


@dataclass(frozen=True)
class CheckFailure:
    """An input that cannot be used. ``property`` is its path, "" for the resource as a whole."""

    property: str
    reason: str


@dataclass(frozen=True)
class Resource:
    """The resource a call is about."""

    urn: str
    type: str
    name: str


@dataclass(frozen=True)
class Diff:
    """What an update would change.

    Attributes:
        differences: Every property that differs.
        replaces: The paths among them that cannot change in place.
        delete_first: Whether a replacement has to delete the old resource before it creates the new one.
    """

    differences: list[Difference]
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False


@dataclass(frozen=True)
class Found:
    """A live resource: its outputs, and the inputs that would lead to it."""

    outputs: Properties
    inputs: Properties


class Backend:
    """What one provider stand-in does. Every method may raise `ProviderError`."""

    name: str
    version: str

    def configure(self, config: Properties) -> None:
        """Take the provider's inputs; values that are JSON in a string have been parsed."""

    def replaces_provider(self, old: Properties, new: Properties) -> list[str]:
        """The provider inputs whose change means another cluster or account: everything is replaced."""
        del old, new
        return []

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, list[CheckFailure]]:
        """Complete the inputs (names, defaults) and find what is wrong with them.

        Args:
            resource: The resource.
            old: The inputs of the last update, empty on creation and replacement.
            new: The inputs that the program gives.
            seed: Random bytes, the same for preview and update.
        """
        raise NotImplementedError

    def diff(self, resource: Resource, old: Properties, new: Properties) -> Diff:
        """Compare the inputs of the last update with new ones."""
        raise NotImplementedError

    def create(
        self, resource: Resource, inputs: Properties, *, preview: bool, timeout_seconds: float
    ) -> tuple[str, Properties]:
        """Create the resource; return its id and outputs. In a preview the id is ignored."""
        raise NotImplementedError

    def read(
        self, resource: Resource, identifier: str, inputs: Properties, outputs: Properties
    ) -> Found | None:
        """Read the live resource; None if it is gone."""
        raise NotImplementedError

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
        """Bring the resource to its new inputs; return its outputs."""
        raise NotImplementedError

    def delete(
        self,
        resource: Resource,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
        *,
        timeout_seconds: float,
    ) -> None:
        """Delete the resource and wait until it is gone; a resource already gone is a success."""
        raise NotImplementedError

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a provider function."""
        del arguments
        raise ProviderError(
            f"the {self.name} stand-in of the embedded platform does not have the function {token}"
        )


Method = TypeVar("Method", bound=Callable[..., Any])


def _reports_errors(method: Method) -> Method:
    """Turn exceptions into a gRPC status, whose message the engine shows."""

    @functools.wraps(method)
    def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except ProviderError as error:
            status, message = grpc.StatusCode.FAILED_PRECONDITION, str(error)
        except Exception as error:  # noqa: BLE001 the engine must get an answer, whatever went wrong
            traceback.print_exc(file=sys.stderr)
            status = grpc.StatusCode.INTERNAL
            where = getattr(request, "urn", "") or getattr(request, "tok", "") or method.__name__
            message = (
                f"{where}: {type(error).__name__}: {error} (in the stand-in provider; this is a defect of it)"
            )
        context.abort(status, message)
        raise AssertionError("abort raises")

    return guarded  # type: ignore[return-value]  # same signature, by construction


@dataclass
class ProviderService(provider_pb2_grpc.ResourceProviderServicer):  # type: ignore[misc]  # stubs are untyped
    """gRPC in, plain data out, for one `Backend`."""

    backend: Backend
    default_timeout_seconds: float = 300.0
    _empty: Any = field(default_factory=empty_pb2.Empty)

    def Handshake(self, _request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        """Secrets, resources and outputs arrive as plain values; the engine puts the secret marks back."""
        return provider_pb2.ProviderHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The version of the official plugin that this stands in for."""
        return plugin_pb2.PluginInfo(version=self.backend.version)

    def GetSchema(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """A schema with a name and a version only: the SDKs are installed packages, nothing is generated."""
        schema = {"name": self.backend.name, "version": self.backend.version}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    @_reports_errors
    def CheckConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """The provider's inputs are judged when they are used: previews may not know them yet."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @_reports_errors
    def DiffConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Whether the provider itself changed, and whether that means another cluster or account."""
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        replaces = self.backend.replaces_provider(_parsed(old), _parsed(new))
        return provider_pb2.DiffResponse(changes=_changes(bool(changed)), diffs=changed, replaces=replaces)

    @_reports_errors
    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Hand the provider's inputs to the backend."""
        self.backend.configure(_parsed(from_struct(request.args)))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_reports_errors
    def Check(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Complete and judge a resource's inputs."""
        inputs, failures = self.backend.check(
            _resource(request), from_struct(request.olds), from_struct(request.news), request.randomSeed
        )
        return provider_pb2.CheckResponse(
            inputs=to_struct(inputs),
            failures=[provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in failures],
        )

    @_reports_errors
    def Diff(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Compare inputs with inputs: what the server made of them is no difference."""
        diff = self.backend.diff(
            _resource(request), from_struct(request.old_inputs), from_struct(request.news)
        )
        detailed = {str(item): _property_diff(item, diff.replaces) for item in diff.differences}
        return provider_pb2.DiffResponse(
            changes=_changes(bool(diff.differences)),
            replaces=sorted(diff.replaces),
            deleteBeforeReplace=diff.delete_first,
            diffs=sorted({str(item.path[0]) for item in diff.differences if item.path}),
            detailedDiff=detailed,
            hasDetailedDiff=True,
        )

    @_reports_errors
    def Create(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Create a resource, or find out what it would look like."""
        identifier, outputs = self.backend.create(
            _resource(request),
            from_struct(request.properties),
            preview=request.preview,
            timeout_seconds=request.timeout or self.default_timeout_seconds,
        )
        response = provider_pb2.CreateResponse(properties=to_struct(outputs))
        if not request.preview:
            response.id = identifier
        return response

    @_reports_errors
    def Read(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """The live resource; an answer without an id removes it from the state."""
        found = self.backend.read(
            _resource(request), request.id, from_struct(request.inputs), from_struct(request.properties)
        )
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_struct(found.outputs), inputs=to_struct(found.inputs)
        )

    @_reports_errors
    def Update(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Change a resource in place, or find out what it would look like."""
        outputs = self.backend.update(
            _resource(request),
            request.id,
            from_struct(request.old_inputs),
            from_struct(request.olds),
            from_struct(request.news),
            preview=request.preview,
            timeout_seconds=request.timeout or self.default_timeout_seconds,
        )
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @_reports_errors
    def Delete(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Delete a resource."""
        self.backend.delete(
            _resource(request),
            request.id,
            from_struct(request.old_inputs),
            from_struct(request.properties),
            timeout_seconds=request.timeout or self.default_timeout_seconds,
        )
        return self._empty

    @_reports_errors
    def Invoke(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Call a provider function."""
        result = self.backend.invoke(request.tok, from_struct(request.args))
        return provider_pb2.InvokeResponse(**{"return": to_struct(result)})

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Nothing to prepare: every operation can be repeated after an abrupt end."""
        return self._empty


def run(backend: Backend) -> None:
    """Serve ``backend`` to the engine that started this process; does not return."""
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(
            ProviderService(backend), server
        )
    )


def _resource(request: Any) -> Resource:
    return Resource(urn=request.urn, type=request.type, name=request.name)


def _changes(changed: bool) -> Any:  # noqa: FBT001 a one-line mapping
    return provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE


def _property_diff(item: Difference, replaces: frozenset[str]) -> Any:
    kind = f"{item.kind}_REPLACE" if str(item) in replaces else item.kind
    return provider_pb2.PropertyDiff(kind=getattr(provider_pb2.PropertyDiff, kind), inputDiff=True)


def _parsed(config: Properties) -> Properties:
    """Provider inputs, those parsed that the SDKs send as JSON in a string (lists, objects, Booleans)."""
    return {key: _parse(value) for key, value in config.items()}


def _parse(value: Any) -> Any:
    if isinstance(value, str) and (value[:1] in {"[", "{"} or value in {"true", "false"}):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
