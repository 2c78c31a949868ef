"""Custom resource definitions as JSON files, read from the operators' pinned modules.

`<folder>/<operator>/<crd name>.json`, without the `description` texts of the schemas and without
status: a preview sends every definition to the API server each time, and the texts are most of it. Objects
that are nested too deeply for a policy pack in Python accept any field.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from local.errors import PlatformError
from tools.crds import CRD_SOURCES, CrdSource
from tools.golang import download_module

# A policy pack in Python reads a resource as a protobuf message, and Python's protobuf refuses more than 100
# levels of messages (the analysis templates' pod specs reach them). An object's field takes three levels
# (Struct, map entry, Value), a list's item two; what surrounds the schema takes some twenty-five.
_MESSAGES_PER_OBJECT = 3
_MESSAGES_PER_LIST = 2
_DEEPEST = 60
_ANY_OBJECT = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

_STAMP = ".stamp"
_FORMAT = "3"  # raise it when what is written changes, so that older files are written anew


def write_crds(folder: Path) -> dict[str, list[Path]]:
    """Write the definitions of all operators; a folder that is up to date stays as it is.

    Args:
        folder: Where the operators' folders go, e.g. `Workspace.crds`.

    Returns:
        The files by operator.

    Raises:
        InstallError: Go is missing, a module out of reach or not the pinned one.
        PlatformError: A module does not hold the files that the table names.
    """
    stamp = folder / _STAMP
    fingerprint = hashlib.sha256(f"{_FORMAT} {CRD_SOURCES!r}".encode()).hexdigest()
    written = _written(folder)
    wanted = sum(len(source.files) for source in CRD_SOURCES)
    is_stamped = stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint
    if not is_stamped or sum(map(len, written.values())) != wanted:
        stamp.unlink(missing_ok=True)
        for source in CRD_SOURCES:
            _write(source, folder / source.operator)
        stamp.write_text(fingerprint, encoding="utf-8")
        written = _written(folder)
    return written


def _written(folder: Path) -> dict[str, list[Path]]:
    return {source.operator: sorted((folder / source.operator).glob("*.json")) for source in CRD_SOURCES}


def _write(source: CrdSource, folder: Path) -> None:
    module = download_module(source.module, source.version, source.sum_h1)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in source.files:
        path = module / file
        if not path.is_file():
            raise PlatformError(
                f"{source.module} {source.version} has no file {file}",
                where=str(module),
                fix="mend the table in tools/crds.py",
            )
        for document in yaml.load_all(path.read_text(encoding="utf-8"), Loader=_LOADER):
            if document:
                crd = slim(document)
                target = folder / f"{crd['metadata']['name']}.json"
                target.write_text(json.dumps(crd, indent=1, sort_keys=True) + "\n", encoding="utf-8")


# libyaml's parser, where PyYAML was built with it, is some ten times as fast; same safe constructor.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def slim(crd: dict[str, Any]) -> dict[str, Any]:
    """The definition without status and without the `description` texts of its schemas."""
    slimmed: dict[str, Any] = {key: value for key, value in crd.items() if key != "status"}
    spec = dict(slimmed["spec"])
    spec["versions"] = [
        {**version, "schema": {"openAPIV3Schema": _slim_schema(version["schema"]["openAPIV3Schema"])}}
        for version in spec["versions"]
    ]
    slimmed["spec"] = spec
    return slimmed


def _slim_schema(schema: Any, depth: int = 0) -> Any:
    """One schema; below `properties` a `description` is a field's name, elsewhere it is a text.

    Args:
        schema: The schema, or a part of one.
        depth: Protobuf messages that its parents take.
    """
    if isinstance(schema, list):
        return [_slim_schema(item, depth + _MESSAGES_PER_LIST) for item in schema]
    if not isinstance(schema, dict):
        return schema
    depth += _MESSAGES_PER_OBJECT
    if depth > _DEEPEST and "properties" in schema:
        return _ANY_OBJECT
    slimmed = {}
    for key, value in schema.items():
        if key == "properties":
            inner = depth + _MESSAGES_PER_OBJECT
            slimmed[key] = {name: _slim_schema(field, inner) for name, field in value.items()}
        elif key in {"default", "enum", "example"}:
            slimmed[key] = value  # values, not schemas
        elif key != "description" or not isinstance(value, str):
            slimmed[key] = _slim_schema(value, depth)
    if slimmed.get("items") is _ANY_OBJECT:
        # Its keys are no longer known to be properties of the items.
        return {key: value for key, value in slimmed.items() if not key.startswith("x-kubernetes-list-")}
    return slimmed
