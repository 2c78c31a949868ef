"""Signing with an asymmetric key that never leaves KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from securesystemslib.dsse import Envelope
from securesystemslib.signer import AWSSigner  # type: ignore[attr-defined]  # its __init__ has no __all__

from operations.errors import OperationsError, aws_call
from operations.evidence import envelope as dsse

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSigner(AWSSigner):
    """securesystemslib's KMS signer with a client of our region, timeouts and retries."""

    def __init__(self, key_arn: str, public_key: dsse.PublicKey, kms: KMSClient) -> None:
        # The base class would make a client of the default region, without timeouts.
        self.aws_key_id = key_arn
        self._public_key = public_key
        self.client = kms
        self.aws_algo = self.aws_algos[public_key.scheme]


def public_key(key_arn: str, kms: KMSClient) -> dsse.PublicKey:
    """Public half of a KMS signing key.

    Raises:
        AwsError: KMS refused or failed the call.
        OperationsError: The key isn't an RSA key that can sign with RSASSA-PSS and SHA-256.
    """
    with aws_call("kms:GetPublicKey", key_arn):
        answer = kms.get_public_key(KeyId=key_arn)
    wanted = AWSSigner.aws_algos[dsse.SCHEME]
    offered = answer.get("SigningAlgorithms", [])
    if wanted not in offered:
        raise OperationsError(f"{key_arn} signs with {', '.join(offered) or 'nothing'}: {wanted} is needed")
    try:
        return dsse.public_key_from_der(answer["PublicKey"])
    except dsse.PublicKeyError as error:
        raise OperationsError(f"{key_arn} {error}") from error


def signer(key_arn: str, kms: KMSClient) -> KmsSigner:
    """Signer for a KMS key.

    Raises:
        AwsError: KMS refused or failed the call for the public key.
        OperationsError: The key can't sign as needed.
    """
    return KmsSigner(key_arn, public_key(key_arn, kms), kms)


def sign(payload: bytes, by: KmsSigner) -> bytes:
    """The DSSE envelope of an in-toto payload, as bytes to store.

    Raises:
        AwsError: KMS refused or failed to sign.
    """
    envelope = Envelope(payload, dsse.PAYLOAD_TYPE, {})
    with aws_call("kms:Sign", by.aws_key_id):
        envelope.sign(by)
    return dsse.encode(envelope)
