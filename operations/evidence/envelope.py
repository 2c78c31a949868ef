"""DSSE envelopes and public keys, by securesystemslib: neither AWS nor network needed."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import (  # type: ignore[attr-defined]  # its __init__ has no __all__
    Signature,
    SSlibKey,
)

from operations.errors import OperationsError
from operations.evidence.canonical import compact_bytes

PublicKey: TypeAlias = SSlibKey
"""A public key with the key id that is computed from it."""

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SCHEME = "rsassa-pss-sha256"
"""RSASSA-PSS with SHA-256: what securesystemslib's KMS signer prefers for RSA keys."""

_MINIMUM_KEY_BITS = 2_048
"""NIST SP 800-131A Rev. 2: shorter RSA keys are disallowed."""


class EnvelopeError(ValueError):
    """Bytes that are no envelope as this package writes them."""


class PublicKeyError(OperationsError):
    """A public key that can't be used."""


def public_key_from_pem(pem: str) -> PublicKey:
    """A public key; its key id is computed from the key, whatever the PEM's line ends.

    Raises:
        PublicKeyError: The text is no PEM of an RSA public key of at least 2048 bits.
    """
    return _public_key(pem.encode(), load_pem_public_key)


def public_key_from_der(der: bytes) -> PublicKey:
    """A public key as KMS hands it out.

    Raises:
        PublicKeyError: The bytes are no RSA public key of at least 2048 bits.
    """
    return _public_key(der, load_der_public_key)


def _public_key(data: bytes, load: Any) -> PublicKey:
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        reason = str(error).splitlines()[0]
        raise PublicKeyError(f"is not a public key: a PEM 'PUBLIC KEY' is needed ({reason})") from error
    if not isinstance(key, RSAPublicKey):
        raise PublicKeyError(f"is a {type(key).__name__}: evidence is signed with RSA keys")
    if key.key_size < _MINIMUM_KEY_BITS:
        raise PublicKeyError(f"is an RSA key of {key.key_size} bits: at least {_MINIMUM_KEY_BITS} are needed")
    return SSlibKey.from_crypto(key, scheme=SCHEME)


def pem(key: PublicKey) -> str:
    """A public key as PEM."""
    return str(key.keyval["public"])


def encode(envelope: Envelope) -> bytes:
    """The bytes of an envelope; these are what chains carry the digest of."""
    return compact_bytes(envelope.to_dict())


def decode(data: bytes) -> Envelope:
    """An envelope with one signature, from exactly the bytes that `encode` gives.

    One form only, so that no two readers can understand the same bytes differently.

    Raises:
        EnvelopeError: The bytes are something else; the text says what.
    """
    try:
        envelope = Envelope.from_dict(json.loads(data))
    except json.JSONDecodeError as error:
        raise EnvelopeError(f"is not JSON: {error}") from error
    except Exception as error:  # from_dict raises whatever the wrong shape makes it stumble on
        raise EnvelopeError(f"is not a DSSE envelope: {type(error).__name__} {error}") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EnvelopeError(f"has payload type {envelope.payload_type!r} instead of {PAYLOAD_TYPE!r}")
    if len(envelope.signatures) != 1:
        raise EnvelopeError(f"has {len(envelope.signatures)} signatures instead of one")
    if encode(envelope) != data:
        raise EnvelopeError("is not in canonical form: it was written or altered by another program")
    return envelope


def signature(envelope: Envelope) -> Signature:
    """The one signature of an envelope."""
    (only,) = envelope.signatures.values()
    return only


def is_signed_by(envelope: Envelope, key: PublicKey) -> bool:
    """Whether the signature is that key's, whatever key id stands beside it.

    DSSE calls the key id an unauthenticated hint, so it doesn't choose the key here.
    """
    attempt = Signature(key.keyid, signature(envelope).signature)
    try:
        key.verify_signature(attempt, envelope.pae())
    except UnverifiedSignatureError:
        return False
    return True
