"""What the tests of `operations` share: an evidence bucket to write to, and a web server that answers JSON."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from operations.clients import AwsClients
from operations.evidence.bundle import Bundle, read_bundle
from operations.evidence.export import export_bundle
from operations.evidence.layout import new_run_id
from operations.evidence.store import RecordReference, write_evidence
from operations.evidence.target import EvidenceTarget

REGION = "eu-central-1"
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
            def do_GET(self) -> None:  # noqa: N802 http.server's name
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


