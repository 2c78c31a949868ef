"""Program start to last registration, of the whole two-region stack against bare programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.crds import write_crds
from tests.bench.figures import load, spread, told
from tests.bench.monitor import plain_inputs
from tests.bench.programs import REGIONS, write_bare, write_platform
from tests.bench.running import Run, run

RUNS = 9
TARGET = 1.3
_TWO_REGIONS = list(REGIONS)[:2]
_SDKS = ("pulumi_aws", "pulumi_kubernetes", "pulumi_random")

# Which modules of the SDKs the program has loaded by its end; pulumi_aws makes the others lazily.
_LIST_IMPORTS = """
import json, sys
from pathlib import Path
from catalog.load import load_catalogue
from components.config import parse_settings
from local.recording import record_platform
catalogue = load_catalogue()
settings = parse_settings(json.loads(sys.argv[1]), file="bench", residency=catalogue.residency)
record_platform(settings, catalogue, stack="bench")
loaded = [name for name, module in sys.modules.items() if type(module).__name__ == "module"]
print(json.dumps(sorted(name for name in loaded if name.split(".")[0] in sys.argv[2:])))
"""


def measure(folder: Path) -> None:
    """Prints the figures.

    Args:
        folder: Where programs go.
    """
    crds = folder / "crds"
    crds.mkdir(parents=True, exist_ok=True)
    write_crds(crds)
    kubeconfig = write_kubeconfig(folder)
    platform = folder / "platform"
    settings = write_platform(
        platform, services=None, kubeconfigs=dict.fromkeys(_TWO_REGIONS, kubeconfig), crds=crds
    )
    first = run(platform, settings)
    resources = plain_inputs(first.log)
    write_bare(folder / "same-resources", resources, _imports(settings))
    tiny = [("kubernetes:core/v1:ConfigMap", name, True, _tiny(name)) for _, name, _, _ in resources]
    write_bare(folder / "config-maps", tiny, [])
    programs: dict[str, tuple[Path, dict[str, Any] | None]] = {
        "whole stack": (platform, settings),
        "bare, same resources": (folder / "same-resources", None),
        "bare, ConfigMaps": (folder / "config-maps", None),
    }
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for program, its in programs.values():
        run(program, its)  # compiles, and fills the page cache
    # In turns, so that whatever else the machine does is shared.
    for _ in range(RUNS):
        for name, (program, its) in programs.items():
            runs[name].append(run(program, its))
    _print(runs, len(resources))


def write_kubeconfig(folder: Path) -> Path:
    """A kubeconfig that the settings accept, of a cluster that nobody calls."""
    path = folder / "kubeconfig"
    path.write_text("clusters: [{name: bench, cluster: {server: https://127.0.0.1:1}}]\n", encoding="utf-8")
    return path


def _imports(settings: dict[str, Any]) -> list[str]:
    command = [sys.executable, "-c", _LIST_IMPORTS, json.dumps(settings), *_SDKS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return names


def _tiny(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def _print(runs: dict[str, list[Run]], count: int) -> None:
    told(f"program start to last registration, {count} resources each, {RUNS} runs in turns ({load()})")
    medians = {}
    for name, its in runs.items():
        assert {len(one.log.resources) for one in its} == {count}
        last = spread([one.seconds for one in its])
        end = spread([one.end_seconds for one in its])
        cpu = spread([one.cpu_seconds for one in its])
        medians[name] = (last.median, end.median, cpu.median)
        told(f"  {name:<22} last registration {last}; end {end}; CPU {cpu}")
    whole = medians.pop("whole stack")
    for name, bare in medians.items():
        last_ratio, end_ratio, cpu_ratio = (mine / its for mine, its in zip(whole, bare, strict=True))
        target = f" (target: at most {TARGET})" if name.endswith("same resources") else ""
        told(
            f"  whole stack / {name}: last registration {last_ratio:.2f}{target}, "
            f"end {end_ratio:.2f}, CPU {cpu_ratio:.2f}"
        )
