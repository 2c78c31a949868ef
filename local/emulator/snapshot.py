"""Turn moto's state into bytes and back.

moto keeps everything in memory: a `BackendDict` per service, below it one backend object per account
and region. Each service is pickled by itself, so that one that fails takes no other with it. What pickle
cannot do alone: keys and certificates (kept as DER), locks (made anew), moto's own dict classes (their
`items()` hides versions), factories of default values (by their code), the registries that backends look
each other up in (by name). A service that still cannot be pickled is left out, and the log says so.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import threading
import types
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import dill  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend
from moto.s3.models import s3_backends

_FORMAT = f"day2-1 moto-{version('moto')}"

_LOCKS: dict[type, Callable[[], Any]] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
    threading.Event: threading.Event,
}

Address = tuple[str, str]  # account, region or partition


class SnapshotError(Exception):
    """The bytes are no snapshot that this emulator can restore."""


def dump() -> tuple[bytes, dict[str, str]]:
    """Pickle the state of every backend in use.

    Returns:
        The snapshot, and the services that had to be left out with the reason for each.

    Raises:
        RuntimeError: Something changed while it was read; try again.
    """
    services: dict[str, bytes] = {}
    left_out: dict[str, str] = {}
    for service, backends in _backends_in_use().items():
        try:
            services[service] = _pickle(backends)
        except RuntimeError:
            raise
        except Exception as error:  # noqa: BLE001 pickling runs the code of any class there is
            left_out[service] = repr(error)
    content = {
        "format": _FORMAT,
        "services": services,
        "bucket_accounts": dict(s3_backends.bucket_accounts),
    }
    return pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL), left_out


def restore(snapshot: bytes) -> tuple[list[str], dict[str, str]]:
    """Put the backends of a snapshot in the place of the present ones.

    Returns:
        The services that were restored, and those that could not be with the reason for each.

    Raises:
        SnapshotError: Not a snapshot, damaged, or of another moto version.
    """
    try:
        content = pickle.loads(snapshot)  # noqa: S301 the file is ours, in the user's own workspace
        written_as = content["format"]
    except Exception as error:
        raise SnapshotError(f"damaged: {error!r}") from error
    if written_as != _FORMAT:
        raise SnapshotError(f"written as {written_as}, this is {_FORMAT}")
    s3_backends.bucket_accounts.update(content["bucket_accounts"])
    lost: dict[str, str] = {}
    for service, pickled in content["services"].items():
        try:
            backends = pickle.loads(pickled)  # noqa: S301 as above
        except Exception as error:  # noqa: BLE001 unpickling runs the code of any class there is
            lost[service] = repr(error)
            continue
        for (account, region), backend in backends.items():
            dict.__setitem__(_registry(service)[account], region, backend)
    return [service for service in content["services"] if service not in lost], lost


def _backends_in_use() -> dict[str, dict[Address, BaseBackend]]:
    found: dict[str, dict[Address, BaseBackend]] = {}
    for registry in list(BackendDict._instances):  # type: ignore[misc]  # noqa: SLF001 moto's list of what is in use
        if registry.service_name == "moto_api":
            continue  # moto's own API holds nothing that is worth keeping
        for account, by_region in list(registry.items()):
            for region, backend in list(by_region.items()):
                found.setdefault(registry.service_name, {})[(account, region)] = backend
    return found


def _pickle(backends: dict[Address, BaseBackend]) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(backends)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    """pickle with a way for each kind of object that has none of its own."""

    def reducer_override(self, value: Any) -> Any:
        """See `pickle.Pickler.reducer_override`."""
        if isinstance(value, type):
            return NotImplemented
        for kinds, reduce in _REDUCERS:
            if isinstance(value, kinds):
                return reduce(value)
        return NotImplemented


def _reduce_lock(lock: Any) -> Any:
    return _LOCKS[type(lock)], ()


def _reduce_private_key(key: Any) -> Any:
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _load_private_key, (der,)


def _load_private_key(der: bytes) -> Any:
    # The primes were checked when the key was made; checking 4096 bits again takes a second.
    return serialization.load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)


def _reduce_public_key(key: Any) -> Any:
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _load_public_key, (der,)


def _load_public_key(der: bytes) -> Any:
    return serialization.load_der_public_key(der)


def _reduce_certificate(certificate: x509.Certificate) -> Any:
    return _load_certificate, (certificate.public_bytes(serialization.Encoding.DER),)


def _load_certificate(der: bytes) -> Any:
    return x509.load_der_x509_certificate(der)


def _reduce_function(function: types.FunctionType) -> Any:
    # A lambda or local function has no name to be found by; with a closure it might drag in a whole backend.
    by_code = "<" in function.__qualname__ and not function.__closure__
    return (dill.loads, (dill.dumps(function),)) if by_code else NotImplemented


def _reduce_registry(registry: BackendDict[Any]) -> Any:
    return _registry, (registry.service_name,)


def _registry(service: str) -> Any:
    return get_backend(service)  # type: ignore[call-overload]


def _reduce_account_registry(registry: AccountSpecificBackend[Any]) -> Any:
    return _account_registry, (registry.service_name, registry.account_id)


def _account_registry(service: str, account: str) -> Any:
    return _registry(service)[account]


def _reduce_dict(value: dict[Any, Any]) -> Any:
    if not type(value).__module__.startswith("moto."):
        return NotImplemented
    state = (dict(dict.items(value)), getattr(value, "__dict__", {}), getattr(value, "default_factory", None))
    return copyreg.__newobj__, (type(value),), state, None, None, _fill_dict  # type: ignore[attr-defined]


def _fill_dict(target: Any, state: tuple[dict[Any, Any], dict[str, Any], Any]) -> None:
    items, attributes, factory = state
    dict.update(target, items)
    target.__dict__.update(attributes)
    if factory is not None:
        target.default_factory = factory


# Order matters: the registries are dicts too.
_REDUCERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (tuple(_LOCKS), _reduce_lock),
    ((rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey), _reduce_private_key),
    ((rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey), _reduce_public_key),
    (x509.Certificate, _reduce_certificate),
    (types.FunctionType, _reduce_function),
    (BackendDict, _reduce_registry),
    (AccountSpecificBackend, _reduce_account_registry),
    (dict, _reduce_dict),
)
