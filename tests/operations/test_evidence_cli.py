"""The command line: what people and CI see, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from operations.evidence.bundle import PUBLIC_KEY_FILE
from operations.evidence.cli import app
from tests.operations.support import KIND, Night, edit_manifest, file_of_record


def call(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def pem(bundle: Path) -> Path:
    return bundle / PUBLIC_KEY_FILE


def test_export_then_verify_ends_with_0_and_says_what_was_verified(
    shared_nights: Night, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, stdout, _ = call("export", "--bucket", shared_nights.target.bucket, "--kind", KIND, "--out", out)
    assert code == 0
    assert "9 object versions and 0 delete markers of nightly-pack" in stdout
    code, stdout, _ = call("verify", "--bundle", out, "--public-key", out / PUBLIC_KEY_FILE)
    assert code == 0
    assert "verified: 3 records (sequence 1 to 3), 6 documents" in stdout


def test_a_failed_verification_ends_with_1_and_names_the_first_failed_step(bundle: Path, pem: Path) -> None:
    file_of_record(bundle, 3).write_bytes(b"{}")
    code, stdout, _ = call("verify", "--bundle", bundle, "--public-key", pem)
    assert code == 1
    assert "not verified: step 1, structure, failed: nightly-pack/records/0000000003.dsse.json" in stdout
    assert [name in stdout for name in ("signature", "key and time", "documents", "chain", "retention")] == [
        True
    ] * 5


def test_requirements_come_from_options(bundle: Path, pem: Path) -> None:
    base = ("verify", "--bundle", bundle, "--public-key", pem)
    assert call(*base, "--newest", "1", "--retention-days", "90", "--expected-sequence", "3")[0] == 0
    assert call(*base, "--retention-days", "91")[0] == 1
    assert call(*base, "--expected-sequence", "4")[0] == 1


def test_a_key_can_have_a_time_of_use(bundle: Path, pem: Path) -> None:
    base = ("verify", "--bundle", bundle, "--public-key")
    assert call(*base, f"{pem},from=2020-01-01T00:00:00Z,until=2120-01-01T00:00:00Z")[0] == 0
    code, stdout, _ = call(*base, f"{pem},until=2020-01-01T00:00:00Z")
    assert code == 1
    assert "step 3, key and time, failed" in stdout


def _other_keys(folder: Path) -> dict[str, Path]:
    keys: dict[str, ec.EllipticCurvePublicKey | rsa.RSAPublicKey] = {
        "elliptic": ec.generate_private_key(ec.SECP256R1()).public_key(),
        "short": rsa.generate_private_key(65537, 1024).public_key(),  # noqa: S505 breakable is the point
    }
    for name, key in keys.items():
        (folder / name).write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "text").write_text("no key")
    (folder / "bytes").write_bytes(b"\xff\xfe")
    return {name: folder / name for name in (*keys, "text", "bytes", "absent")}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("elliptic", "evidence is signed with RSA keys"),
        ("short", "is an RSA key of 1024 bits: at least 2048 are needed"),
        ("text", "is not a public key: a PEM 'PUBLIC KEY' is needed"),
        ("bytes", "can't be read: it is no text"),
        ("absent", "can't be read: No such file or directory"),
    ],
)
def test_a_public_key_that_is_none_is_one_error_and_exit_2(
    bundle: Path, tmp_path: Path, name: str, message: str
) -> None:
    path = _other_keys(tmp_path)[name]
    code, stdout, stderr = call("verify", "--bundle", bundle, "--public-key", path)
    assert (code, stdout) == (2, "")
    assert stderr.startswith("error: ")
    assert f"public key {path} " in stderr
    assert message in stderr


@pytest.mark.parametrize("part", ["until=tomorrow", "until=2026-01-01", "til=2026-01-01T00:00:00Z"])
def test_a_malformed_time_of_use_is_one_error_and_exit_2(bundle: Path, pem: Path, part: str) -> None:
    code, _, stderr = call("verify", "--bundle", bundle, "--public-key", f"{pem},{part}")
    assert code == 2
    assert "error: --public-key" in stderr


def test_a_folder_that_is_no_bundle_is_one_error_and_exit_2(bundle: Path, pem: Path, tmp_path: Path) -> None:
    code, _, stderr = call("verify", "--bundle", tmp_path / "nothing", "--public-key", pem)
    assert code == 2
    assert "can't be read" in stderr
    (bundle / "bundle.json").write_text("[")
    assert "is not JSON" in call("verify", "--bundle", bundle, "--public-key", pem)[2]
    (bundle / "bundle.json").write_text("{}")
    assert "is no bundle's manifest" in call("verify", "--bundle", bundle, "--public-key", pem)[2]


def test_a_bundle_that_points_outside_itself_is_refused(bundle: Path, pem: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    edit_manifest(bundle, lambda m: m["versions"][0].update(file="../secret"))
    code, _, stderr = call("verify", "--bundle", bundle, "--public-key", pem)
    assert code == 2
    assert "points outside the bundle: ../secret" in stderr


def test_an_export_that_cannot_be_is_one_error_and_exit_2(shared_nights: Night, tmp_path: Path) -> None:
    bucket = shared_nights.target.bucket
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("a")
    for options, message in (
        (("--bucket", bucket, "--kind", "drill"), "holds no records of kind drill"),
        (("--bucket", "no-such-bucket", "--kind", KIND), "NoSuchBucket"),
        (("--bucket", bucket, "--kind", "../x"), "is no name for an object"),
    ):
        code, _, stderr = call("export", *options, "--out", tmp_path / "new")
        assert code == 2
        assert message in stderr
        assert not (tmp_path / "new").exists()
    code, _, stderr = call("export", "--bucket", bucket, "--kind", KIND, "--out", tmp_path / "full")
    assert code == 2
    assert "is not empty" in stderr
