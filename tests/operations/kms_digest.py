"""Makes moto's KMS sign digests, which it otherwise hashes once more (moto 5.2.5 ignores `MessageType`)."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from moto.kms.responses import KmsResponse
from moto.kms.utils import RSAPrivateKey

_HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
_signs_digest: ContextVar[bool] = ContextVar("signs_digest", default=False)


def sign_digests(patch: pytest.MonkeyPatch) -> None:
    """Patches moto's `Sign` for RSA keys; its `Verify` stays as it is."""
    answer, sign_message = KmsResponse.sign, RSAPrivateKey.sign

    def respond(response: KmsResponse) -> Any:
        token = _signs_digest.set(response._get_param("MessageType") == "DIGEST")  # noqa: SLF001 moto's own way in
        try:
            return answer(response)
        finally:
            _signs_digest.reset(token)

    def sign(key: RSAPrivateKey, message: bytes, signing_algorithm: str) -> Any:
        if not _signs_digest.get():
            return sign_message(key, message, signing_algorithm)
        algorithm = _HASHES[signing_algorithm[-3:]]
        # KMS takes a salt as long as the digest.
        pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.DIGEST_LENGTH)
        scheme = pss if "PSS" in signing_algorithm else padding.PKCS1v15()
        return key.private_key.sign(message, scheme, Prehashed(algorithm))

    patch.setattr(KmsResponse, "sign", respond)
    patch.setattr(RSAPrivateKey, "sign", sign)
