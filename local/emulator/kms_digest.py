"""KMS as AWS has it where moto 5.2.5 differs: RSA `Sign` and `Verify` honour MessageType DIGEST.

moto hashes a digest once more, so that nothing outside of it can verify the signature; securesystemslib's
KMS signer always sends digests. Its PSS salt is as long as the key allows, that of KMS as long as the digest.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from moto.kms.exceptions import ValidationException
from moto.kms.responses import KmsResponse
from moto.kms.utils import RSAPrivateKey, SigningAlgorithm, validate_signing_algorithm

_HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}

# Whether the request under way carries a digest; moto's key objects are not told.
_is_digest: ContextVar[bool] = ContextVar("is_digest", default=False)


def install() -> None:
    """Replace moto's RSA signatures, in this process."""
    response: Any = KmsResponse
    response.sign = _noting_message_type(response.sign)
    response.verify = _noting_message_type(response.verify)
    key: Any = RSAPrivateKey
    key.sign = _sign
    key.verify = _verify


def _noting_message_type(answer: Callable[[KmsResponse], Any]) -> Callable[[KmsResponse], Any]:
    def noting(response: KmsResponse) -> Any:
        token = _is_digest.set(response._get_param("MessageType") == "DIGEST")  # noqa: SLF001 moto's own way in
        try:
            return answer(response)
        finally:
            _is_digest.reset(token)

    return noting


def _sign(key: RSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
    scheme, algorithm = _parameters(message, signing_algorithm)
    return key.private_key.sign(message, scheme, algorithm)


def _verify(key: RSAPrivateKey, message: bytes, signature: bytes, signing_algorithm: str) -> bool:
    scheme, algorithm = _parameters(message, signing_algorithm)
    try:
        key.private_key.public_key().verify(signature, message, scheme, algorithm)
    except InvalidSignature:
        return False
    return True


def _parameters(message: bytes, signing_algorithm: str) -> tuple[Any, HashAlgorithm | Prehashed]:
    validate_signing_algorithm(signing_algorithm, SigningAlgorithm.rsa_signing_algorithms())
    algorithm = _HASHES[signing_algorithm[-3:]]
    scheme: Any = padding.PKCS1v15()
    if "PSS" in signing_algorithm:
        scheme = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.DIGEST_LENGTH)
    if not _is_digest.get():
        return scheme, algorithm
    if len(message) != algorithm.digest_size:
        raise ValidationException(f"Digest is invalid length for algorithm {signing_algorithm}.")
    return scheme, Prehashed(algorithm)
