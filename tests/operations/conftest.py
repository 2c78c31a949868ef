"""An AWS emulator, a signing key and an evidence bucket for the tests of `operations`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from local.emulator import kms_digest
from operations.clients import AwsClients, aws_clients
from operations.evidence import envelope as dsse
from operations.evidence import signing
from operations.evidence.steps import TrustedKey
from tests.operations.support import REGION, Answer, JsonServer, Night, new_night


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    kms_digest.install()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def aws(aws_endpoint: str) -> Iterator[AwsClients]:
    """Clients of the emulator; the environment names it for everything that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_REGION", REGION)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.delenv("AWS_PROFILE", raising=False)
        yield aws_clients(REGION)


@pytest.fixture(scope="session")
def signing_key(aws: AwsClients) -> str:
    return _key(aws)


@pytest.fixture(scope="session")
def other_key(aws: AwsClients) -> str:
    return _key(aws)


def _key(aws: AwsClients) -> str:
    return aws.kms.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]


@pytest.fixture(scope="session")
def encryption_key(aws: AwsClients) -> str:
    return aws.kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="session")
def public_key(aws: AwsClients, signing_key: str) -> dsse.PublicKey:
    return signing.public_key(signing_key, aws.kms)


@pytest.fixture(scope="session")
def trusted(public_key: dsse.PublicKey) -> list[TrustedKey]:
    return [TrustedKey(key=public_key)]


@pytest.fixture
def night(aws: AwsClients, tmp_path: Path, signing_key: str, encryption_key: str) -> Night:
    return new_night(aws, tmp_path, signing_key, encryption_key)


def _write_three(night: Night) -> Night:
    """A chain of three records: each night's clock runs on by a minute, S3's doesn't."""
    now = datetime.now(UTC)
    for number in range(3):
        night.write(produced_at=now + timedelta(minutes=number))
    return night


@pytest.fixture
def three_nights(night: Night) -> Night:
    """A bucket with a chain of three records, for this test alone."""
    return _write_three(night)


@pytest.fixture(scope="session")
def shared_nights(
    aws: AwsClients, tmp_path_factory: pytest.TempPathFactory, signing_key: str, encryption_key: str
) -> Night:
    """A bucket with a chain of three records, for all tests: nobody changes it."""
    return _write_three(new_night(aws, tmp_path_factory.mktemp("shared"), signing_key, encryption_key))


@pytest.fixture(scope="session")
def shared_bundle(shared_nights: Night) -> Path:
    return shared_nights.export().folder


@pytest.fixture
def bundle(shared_bundle: Path, tmp_path: Path) -> Path:
    """The shared chain's bundle in a copy of this test's own."""
    return Path(shutil.copytree(shared_bundle, tmp_path / "bundle"))


@pytest.fixture
def json_server() -> Iterator[Callable[[Callable[[str, dict[str, str]], Answer]], JsonServer]]:
    servers: list[JsonServer] = []

    def start(answer: Callable[[str, dict[str, str]], Answer]) -> JsonServer:
        servers.append(JsonServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
