"""Downloads each region's evidence and verifies it offline, with the commands that anyone else would use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from catalog.load import Catalogue
from components.config import Settings
from local.emulator.lifecycle import Emulator
from local.engine import Engine
from local.errors import PlatformError
from local.platform import ROOT


def verify_regions(engine: Engine, emulator: Emulator, settings: Settings, catalogue: Catalogue) -> bool:
    """Verifies the evidence of every region and prints each step's result.

    Args:
        engine: The engine, which knows the buckets and keys.
        emulator: What answers in the place of AWS.
        settings: The stack's settings: its retention is what evidence has to be kept for.
        catalogue: Its jobs name the kinds of evidence.

    Returns:
        Whether all of it was verified.

    Raises:
        PlatformError: The stack does not exist yet.
    """
    regions = engine.outputs().get("regions")
    if not regions:
        raise PlatformError(
            "the stack has no regions yet", where=f"stack {engine.stack}", fix="run `make up` first"
        )
    kinds = sorted({job.evidence for job in catalogue.jobs.values() if job.evidence})
    verified = []
    for region, its in regions.items():
        public_key = _public_key(engine, emulator, region, its["signing_key_arn"])
        for kind in kinds:
            print(f"{region}: {kind} in {its['evidence_bucket']}", flush=True)
            bundle = _new_folder(engine.workspace.evidence / region / kind)
            options = ["--bucket", its["evidence_bucket"], "--kind", kind, "--region", region]
            exported = _evidence(emulator, "export", *options, "--out", str(bundle)) == 0
            days = str(settings.evidence.retention_days)
            keys = ["--public-key", str(public_key), "--retention-days", days]
            verified.append(exported and _evidence(emulator, "verify", "--bundle", str(bundle), *keys) == 0)
    return all(verified)


def _public_key(engine: Engine, emulator: Emulator, region: str, key_arn: str) -> Path:
    """The key as KMS gives it, in a file of its own: what a bundle brings along proves nothing."""
    kms = boto3.client(
        "kms",
        region_name=region,
        endpoint_url=emulator.endpoint,
        aws_access_key_id=emulator.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=emulator.environment["AWS_SECRET_ACCESS_KEY"],
    )
    key = load_der_public_key(kms.get_public_key(KeyId=key_arn)["PublicKey"])
    path = engine.workspace.evidence / region / "public-key.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def _new_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _evidence(emulator: Emulator, *arguments: str) -> int:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-m", "operations.evidence", *arguments]
    return subprocess.run(command, cwd=ROOT, env=inherited | emulator.environment, check=False).returncode
