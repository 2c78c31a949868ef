"""Writes what a stack registers as files, without engine, cluster or network, for review and GitOps.

Kubernetes objects become `<region>/<namespace or _cluster>/<kind>-<name>.yaml`, AWS inputs
`<region>/aws/<type>-<logical name>.json`.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import yaml

from catalog.problems import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from local.recording import Recording, Registration

_REGION_TYPE = "day2:platform:Region"
_MARKER = ".day2-render"


def render(recording: Recording, out: Path) -> list[Path]:
    """Writes a recording; files of an earlier rendering are replaced.

    Args:
        recording: What a stack registered.
        out: Folder to write to; it must be empty, new, or one that this function wrote.

    Returns:
        The files, relative to the folder, sorted.

    Raises:
        InputError: The folder holds something else, or can't be written.
    """
    files: dict[str, str] = {}
    for registration in recording.registrations:
        if registration.custom and not registration.type.startswith("pulumi:providers:"):
            path, content = _file(registration, _region_of(registration, recording))
            files[path] = content
    try:
        _empty(out)
        for path, content in files.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    except OSError as error:
        fix = f"can't be written ({error.strerror}): choose another folder with OUT=…"
        raise InputError([Problem(file=str(out), key="", value="", fix=fix)]) from None
    return sorted(out.__class__(path) for path in files)


def _empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()) and not (out / _MARKER).exists():
        fix = "is not empty and was not written by render: choose a new folder with OUT=…"
        raise InputError([Problem(file=str(out), key="", value="", fix=fix)])
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / _MARKER).write_text(
        "Written by render; the next rendering replaces this folder.\n", encoding="utf-8"
    )


def _region_of(registration: Registration, recording: Recording) -> str:
    return next((a.name for a in recording.ancestors(registration) if a.type == _REGION_TYPE), "_global")


def _file(registration: Registration, region: str) -> tuple[str, str]:
    package, _, kind = registration.type.split(":")
    inputs = registration.inputs
    if package == "kubernetes" and "metadata" in inputs:
        metadata = inputs["metadata"]
        folder = metadata.get("namespace", "_cluster")
        name = f"{inputs['kind']}-{metadata['name']}"
        return f"{region}/{folder}/{_safe(name)}.yaml", _as_yaml(inputs)
    name = f"{kind}-{registration.name}"
    return f"{region}/{package}/{_safe(name)}.json", json.dumps(inputs, indent=2, sort_keys=True) + "\n"


def _safe(name: str) -> str:
    """A file name that every file system takes: Kubernetes names may hold ':'."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


class _BlockDumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, which reviewers can read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_BlockDumper.add_representer(str, _text)


def _as_yaml(manifest: dict[str, Any]) -> str:
    head = {key: manifest[key] for key in ("apiVersion", "kind", "metadata")}
    rest = {key: value for key, value in manifest.items() if key not in head}
    return yaml.dump(_whole_numbers({**head, **rest}), Dumper=_BlockDumper, sort_keys=False, width=110)


def _whole_numbers(value: Any) -> Any:
    """Pulumi's wire format knows only floats; Kubernetes wants integers where they are whole."""
    if isinstance(value, dict):
        return {key: _whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
