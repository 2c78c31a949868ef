"""The engine's side of the protocol with a program, without an engine: it answers and notes when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc  # type: ignore[import-untyped]  # published without types
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_THREADS = 16
# Outputs that a provider would compute and that the program reads.
_COMPUTED = ("arn", "keyId")


@dataclass
class Log:
    """What a program registered.

    Attributes:
        resources: Token, logical name, whether a provider manages it, and inputs, in order of registration.
        first: Time of the first registration but the stack's, in seconds of the monotonic clock.
        last: Time of the answer to the last one.
        messages: Errors that the program told the engine.
    """

    resources: list[tuple[str, str, bool, struct_pb2.Struct]] = field(default_factory=list)
    first: float = 0.0
    last: float = 0.0
    messages: list[str] = field(default_factory=list)


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()

    def SupportsFeature(self, _request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterResource(self, request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        state = struct_pb2.Struct()
        if request.custom:
            state.CopyFrom(request.object)
            for output in _COMPUTED:
                if output not in state.fields:
                    state.fields[output].string_value = f"{request.name}-{output}"
        response = resource_pb2.RegisterResourceResponse(
            urn=f"urn:pulumi:bench::day2::{request.type}::{request.name}",
            id=f"{request.name}-id" if request.custom else "",
            object=state,
        )
        with self._lock:
            if request.type != "pulumi:pulumi:Stack":
                self._log.first = self._log.first or time.monotonic()
                self._log.resources.append((request.type, request.name, request.custom, request.object))
            self._log.last = time.monotonic()
        return response

    def RegisterResourceOutputs(self, _request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        return empty_pb2.Empty()


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self, log: Log) -> None:
        self._log = log
        self._root = ""

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        if request.severity >= engine_pb2.ERROR:
            self._log.messages.append(request.message)
        return empty_pb2.Empty()

    def GetRootResource(self, _request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, _context: Any) -> Any:  # noqa: N802 named by the protocol
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


@contextmanager
def serve(log: Log) -> Iterator[str]:
    """Serves one program; yields the address."""
    options = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=_THREADS), options=options)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Monitor(log), server)
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(log), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


def plain_inputs(log: Log) -> list[tuple[str, str, bool, dict[str, Any]]]:
    """The registrations with inputs as plain data, secrets taken out of their wrappers."""
    return [
        (token, name, custom, _plain(rpc.deserialize_properties(inputs)))
        for token, name, custom, inputs in log.resources
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if rpc._special_sig_key in value:  # noqa: SLF001 the SDK has no public test for its wrappers
            return _plain(value.get("value"))
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
