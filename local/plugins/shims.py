"""The plugin executables that the engine starts: small scripts that run the modules of this package."""

import shlex
import sys
from importlib.metadata import version
from pathlib import Path

# Executable -> module with a `main` function, and the Python package whose version it stands for.
PLUGINS = {
    "pulumi-language-python": ("local.plugins.language_host", "pulumi"),
    "pulumi-resource-kubernetes": ("local.plugins.kubernetes.main", "pulumi-kubernetes"),
    "pulumi-resource-aws": ("local.plugins.aws.main", "pulumi-aws"),
    "pulumi-resource-random": ("local.plugins.random", "pulumi-random"),
}
REPOSITORY = Path(__file__).resolve().parents[2]


def install_plugins(pulumi_home: Path) -> None:
    """Write the plugins where ``pulumi plugin install`` puts them, under the versions of the SDKs in use.

    Args:
        pulumi_home: The folder that the engine's PULUMI_HOME names.
    """
    for name, (module, package) in PLUGINS.items():
        folder = f"{name.removeprefix('pulumi-')}-v{version(package)}"
        _write_script(pulumi_home / "plugins" / folder / name, module)


def _write_script(path: Path, module: str) -> None:
    """A script for this interpreter and this checkout.

    The checkout is put on the module path inside the process, not by PYTHONPATH, which the user's program
    would inherit; ``-P`` keeps modules of the current folder from shadowing ours.
    """
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from {module} import main; main()"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -c {shlex.quote(code)} "$@"\n')
    path.chmod(0o755)
