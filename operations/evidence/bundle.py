"""Evidence as a folder: everything that verification needs, without AWS or network.

bundle.json        what S3 told: versions, delete markers, times, retention
public-key.pem     the signing key's public half, for convenience: trust needs one from elsewhere
objects/<key>/<version id>
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from operations.errors import OperationsError
from operations.evidence.canonical import document_bytes, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLE_SCHEMA: Literal["https://day2.dev/evidence/bundle/v1"] = "https://day2.dev/evidence/bundle/v1"
MANIFEST_FILE = "bundle.json"
PUBLIC_KEY_FILE = "public-key.pem"

_LONGEST_FILE_NAME = 200


class BundleError(OperationsError):
    """A folder that is no bundle, or can't become one."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ObjectVersion(_Part):
    """One version of an object, as S3 described it when it was exported.

    Attributes:
        key: Key in the bucket.
        version_id: Version.
        last_modified: When S3 took it in.
        lock_mode: Object Lock mode, None if S3 told none.
        retain_until: End of its retention, None if S3 told none.
        file: Its content's path in the bundle.
    """

    key: str
    version_id: str
    last_modified: AwareDatetime
    lock_mode: str | None
    retain_until: AwareDatetime | None
    file: str


class DeleteMarker(_Part):
    """A marker that hides an object from readers who name no version."""

    key: str
    version_id: str
    last_modified: AwareDatetime


class Manifest(_Part):
    """Content of `bundle.json`.

    Attributes:
        schema_uri: Form of this file.
        bucket: Where it was exported from.
        kind: Kind of the evidence.
        exported_at: When.
        newest: How many of the newest records were asked for, None for all.
        versions: Of each key the newest first, as S3 lists them.
        delete_markers: Likewise.
    """

    schema_uri: Literal["https://day2.dev/evidence/bundle/v1"] = Field(alias="$schema")
    bucket: str
    kind: str
    exported_at: AwareDatetime
    newest: Annotated[int, Field(ge=1)] | None
    versions: tuple[ObjectVersion, ...]
    delete_markers: tuple[DeleteMarker, ...]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Bundle:
    """An exported bundle: its manifest and, on demand, the contents."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder.resolve()
        self.manifest = manifest

    def content(self, version: ObjectVersion) -> bytes | None:
        """Content of a version, None if its file is missing.

        Raises:
            BundleError: The manifest points outside the bundle, or the file can't be read.
        """
        path = (self.folder / version.file).resolve()
        if not path.is_relative_to(self.folder):
            raise BundleError(f"{self.folder / MANIFEST_FILE} points outside the bundle: {version.file}")
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BundleError(f"{path} can't be read: {error.strerror}") from error


def file_of(key: str, version_id: str) -> str:
    """Path of a version's content in a bundle; no key, however odd, leads outside."""
    return "/".join(["objects", *(_file_name(part) for part in key.split("/")), _file_name(version_id)])


def _file_name(part: str) -> str:
    name = quote(part, safe="")
    if name.strip(".") and len(name) <= _LONGEST_FILE_NAME:
        return name
    return f"sha256-{sha256_hex(part.encode())}"


def write_bundle(
    folder: Path, manifest: Manifest, contents: Mapping[str, bytes], public_key_pem: str
) -> None:
    """Writes a bundle into a new or empty folder; the manifest last.

    Args:
        folder: Where to.
        manifest: What S3 told.
        contents: By the path that the manifest gives each version.
        public_key_pem: The signing key's public half.

    Raises:
        BundleError: The folder holds something, or can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BundleError(f"{folder} is not empty: name a new folder for the bundle")
        for name, data in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / PUBLIC_KEY_FILE).write_text(public_key_pem, encoding="utf-8")
        (folder / MANIFEST_FILE).write_bytes(document_bytes(manifest.model_dump(mode="json", by_alias=True)))
    except OSError as error:
        raise BundleError(f"{error.filename or folder} can't be written: {error.strerror}") from error


def read_bundle(folder: Path) -> Bundle:
    """Opens a bundle.

    Raises:
        BundleError: The folder is missing or is no bundle.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest = Manifest.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        raise BundleError(
            f"{path} can't be read ({error.strerror}): name a folder that "
            "`python -m operations.evidence export` wrote"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"{path} is no bundle's manifest: {where or 'it'}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON: {error}") from error
    return Bundle(folder, manifest)
