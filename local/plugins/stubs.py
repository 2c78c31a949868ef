"""Pulumi's gRPC stubs, without importing the rest of the SDK.

Importing ``pulumi`` takes about 0.4 s of CPU; the engine starts a plugin process for every provider of every
command, and none of them needs more than the generated messages and services.
"""

import importlib
import importlib.util
import sys
import types
from typing import Any


def _import_stub(name: str) -> Any:
    """Import ``pulumi.runtime.proto.<name>`` with empty stand-ins for its parent packages, then drop those.

    The parents are dropped again so that a process that needs the whole SDK (a test) can still import it.
    """
    if "pulumi" in sys.modules:
        return importlib.import_module(f"pulumi.runtime.proto.{name}")
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "the package 'pulumi' is not installed in this Python; install requirements.txt"
        )
    root = spec.submodule_search_locations[0]
    for package, path in (("pulumi", root), ("pulumi.runtime", f"{root}/runtime")):
        module = types.ModuleType(package)
        module.__path__ = [path]
        sys.modules[package] = module
    try:
        return importlib.import_module(f"pulumi.runtime.proto.{name}")
    finally:
        del sys.modules["pulumi"], sys.modules["pulumi.runtime"]


language_pb2 = _import_stub("language_pb2")
language_pb2_grpc = _import_stub("language_pb2_grpc")
plugin_pb2 = _import_stub("plugin_pb2")
provider_pb2 = _import_stub("provider_pb2")
provider_pb2_grpc = _import_stub("provider_pb2_grpc")
