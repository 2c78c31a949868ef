"""What the tests of `operations` share: an evidence bucket to write to, a web server that answers JSON."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from operations.clients import AwsClients
from operations.evidence.bundle import Bundle, read_bundle
from operations.evidence.export import export_bundle
from operations.evidence.layout import new_run_id, record_key
from operations.evidence.store import RecordReference, write_evidence
from operations.evidence.target import EvidenceTarget

REGION: Literal["eu-central-1"] = "eu-central-1"
KIND = "nightly-pack"
JOB = "nightly-evidence"


@dataclass
class Night:
    """Writes evidence into a bucket of its own and exports it."""

    aws: AwsClients
    target: EvidenceTarget
    folder: Path
    written: list[RecordReference] = field(default_factory=list)

    def write(self, documents: Mapping[str, Any] | None = None, **changes: Any) -> RecordReference:
        """One record with two documents."""
        number = len(self.written) + 1
        arguments = {
            "kind": KIND,
            "job": JOB,
            "run_id": new_run_id(datetime.now(UTC)),
            "target": self.target,
            "aws": self.aws,
            **changes,
        }
        reference = write_evidence(
            documents or {"policy-20261121": {"night": number}, "slo-20261121": {"night": -number}},
            **arguments,
        )
        self.written.append(reference)
        return reference

    def export(self, **options: Any) -> Bundle:
        """Bundle of everything so far, in a new folder."""
        folder = self.folder / uuid.uuid4().hex
        export_bundle(bucket=self.target.bucket, kind=KIND, folder=folder, aws=self.aws, **options)
        return read_bundle(folder)

    def records(self) -> list[str]:
        """Keys of all records, deleted or not."""
        listed = self.aws.s3.list_object_versions(Bucket=self.target.bucket, Prefix=f"{KIND}/records/")
        return sorted({v["Key"] for v in listed.get("Versions", [])})


def new_night(aws: AwsClients, folder: Path, signing_key: str, encryption_key: str) -> Night:
    """An empty evidence bucket."""
    bucket = f"evidence-{uuid.uuid4().hex[:12]}"
    aws.s3.create_bucket(
        Bucket=bucket,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )
    target = EvidenceTarget(
        environment="local",
        region=REGION,
        bucket=bucket,
        retention_days=90,
        lock_mode="GOVERNANCE",
        signing_key_arn=signing_key,
        encryption_key_arn=encryption_key,
    )
    return Night(aws=aws, target=target, folder=folder)


Answer = tuple[int, Any]


class JsonServer:
    """A web server on loopback that answers GETs by a function of path and query."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Answer]) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                outer.asked.append(self.path)
                status, body = answer(url.path, query)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()


def edit_manifest(bundle: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes what a bundle says that S3 told."""
    path = bundle / "bundle.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def copy_bundle(bundle: Path, name: str) -> Path:
    """A copy of a bundle beside it."""
    return Path(shutil.copytree(bundle, bundle.parent / name))


def file_of_record(bundle: Path, sequence: int) -> Path:
    """Where a bundle keeps a record that has one version."""
    (path,) = (bundle / "objects" / record_key(KIND, sequence)).iterdir()
    return path


def job_environment() -> dict[str, str]:
    """Every variable that a job has to be given."""
    return {
        "DAY2_ENVIRONMENT": "local",
        "DAY2_REGION": REGION,
        "AWS_REGION": REGION,
        "DAY2_NAMESPACE": "day2-system",
        "DAY2_EVIDENCE_BUCKET": "evidence-1",
        "DAY2_EVIDENCE_RETENTION_DAYS": "90",
        "DAY2_EVIDENCE_LOCK_MODE": "GOVERNANCE",
        "DAY2_SIGNING_KEY_ARN": f"arn:aws:kms:{REGION}:123456789012:key/1",
        "DAY2_ENCRYPTION_KEY_ARN": f"arn:aws:kms:{REGION}:123456789012:key/2",
    }


def sample(value: object) -> dict[str, Any]:
    return {"metric": {}, "value": [1, value]}


def vector(*values: object) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": [sample(v) for v in values]}}


StartServer = Callable[[Callable[[str, dict[str, str]], Answer]], JsonServer]
