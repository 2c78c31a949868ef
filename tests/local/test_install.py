from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import golang, install, programs, releases
from tools.errors import InstallError
from tools.programs import PROGRAMS, Program, Release

REPOSITORY = Path(__file__).parents[2]
SCRIPT = "#!/bin/sh\necho demo 1.2.3\n"


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for programs; Go's own build cache stays, or each test would compile Go's library."""
    answer = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    monkeypatch.setenv("GOCACHE", answer.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def demo(tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A tiny program with sources of its own."""
    assert not empty_cache.exists()
    sources = tmp_path / "modules" / "demo"
    sources.mkdir(parents=True)
    (sources / "go.mod").write_text("module example.org/demo\n\ngo 1.21\n")
    (sources / "go.sum").write_text("")
    (sources / "main.go").write_text(
        'package main\n\nvar version = "?"\n\nfunc main() { println("demo", version) }\n'
    )
    program = Program(
        name="demo",
        version="1.2.3",
        module="demo",
        package="example.org/demo",
        ldflags="-s -w -X main.version=1.2.3",
        build_minutes=0.1,
        version_arguments=("--version",),
        version_pattern=r"demo (\S+)",
    )
    monkeypatch.setattr(programs, "MODULES_DIR", sources.parent)
    register(monkeypatch, program)
    return program


def register(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    monkeypatch.setitem(PROGRAMS, program.name, program)


def put_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
    folder.mkdir()
    program = folder / "demo"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on loopback: its address and its folder."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def with_release(monkeypatch: pytest.MonkeyPatch, demo: Program, release: Release) -> None:
    register(monkeypatch, dataclasses.replace(demo, releases=((releases.this_platform(), release),)))


def test_a_program_on_path_is_used_at_exactly_the_pinned_version(
    demo: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = put_on_path(monkeypatch, tmp_path / "bin", SCRIPT)
    assert install.ensure(demo.name) == program


def test_a_program_on_path_at_another_version_is_ignored(
    demo: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", SCRIPT.replace("1.2.3", "1.2.4"))
    built = install.ensure(demo.name)
    assert built == install.cached_path(demo)
    answer = subprocess.run([built], capture_output=True, text=True, check=True)
    assert answer.stderr == "demo 1.2.3\n"


def test_a_built_program_is_kept_and_built_anew_when_its_sources_change(demo: Program) -> None:
    first = install.ensure(demo.name)
    made = first.stat().st_mtime_ns
    assert install.ensure(demo.name) == first
    assert first.stat().st_mtime_ns == made
    (demo.module_dir / "go.mod").write_text("module example.org/demo\n\ngo 1.22\n")
    assert install.ensure(demo.name) != first
    assert not list(first.parent.glob(".partial-*"))


def test_without_go_the_error_says_so_and_what_to_do(
    demo: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallError, match=r"Go is not installed(.|\n)*https://go.dev/dl/"):
        install.ensure(demo.name)


def test_a_go_that_is_too_old_is_named_with_the_version_needed(
    demo: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    (demo.module_dir / "go.mod").write_text("module example.org/demo\n\ngo 1.99.0\n")
    with pytest.raises(InstallError, match=r"go1\.\d+(\.\d+)? is too old: demo needs Go 1\.99\.0"):
        install.ensure(demo.name)


def test_a_failed_build_names_the_cause_and_the_log(demo: Program) -> None:
    (demo.module_dir / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(InstallError, match=r"building demo failed: .*undefined: undefined") as caught:
        install.ensure(demo.name)
    log = Path(caught.value.where)
    assert "undefined: undefined" in log.read_text()
    assert not install.cached_path(demo).exists()


def test_an_unreachable_module_proxy_is_told_from_a_broken_build(
    demo: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules-cache"))
    (demo.module_dir / "go.mod").write_text(
        "module example.org/demo\n\ngo 1.21\n\nrequire example.org/other v1.0.0\n"
    )
    (demo.module_dir / "go.sum").write_text(
        f"example.org/other v1.0.0 h1:{'A' * 43}=\nexample.org/other v1.0.0/go.mod h1:{'A' * 43}=\n"
    )
    (demo.module_dir / "main.go").write_text(
        'package main\n\nimport _ "example.org/other"\n\nfunc main() {}\n'
    )
    with pytest.raises(InstallError, match="the Go module proxy cannot be reached"):
        install.ensure(demo.name)


def test_a_full_disk_is_noticed_before_the_build(demo: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golang, "_MIN_FREE_BYTES", 1 << 60)
    with pytest.raises(InstallError, match="MiB of disk are free"):
        install.ensure(demo.name)


def test_a_cache_that_cannot_be_written_is_one_clear_error(
    demo: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InstallError, match="the cache cannot be written: Not a directory"):
        install.ensure(demo.name)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InstallError, match=r"no program 'etcdd'(.|\n)*kube-apiserver"):
        install.ensure("etcdd")


def test_a_release_with_the_right_checksum_is_unpacked(
    demo: Program, served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = served
    with tarfile.open(folder / "demo-1.2.3.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo("demo-1.2.3/demo")
        entry.size = len(SCRIPT)
        tar.addfile(entry, io.BytesIO(SCRIPT.encode()))
    digest = hashlib.sha256((folder / "demo-1.2.3.tar.gz").read_bytes()).hexdigest()
    release = Release(url=f"{address}/demo-{{version}}.tar.gz", sha256=digest, member="demo-1.2.3/demo")
    with_release(monkeypatch, demo, release)
    answer = subprocess.run([install.ensure(demo.name)], capture_output=True, text=True, check=True)
    assert answer.stdout == "demo 1.2.3\n"


def test_a_release_with_a_wrong_checksum_is_refused_and_not_kept(
    demo: Program, served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = served
    (folder / "demo").write_text(SCRIPT)
    with_release(monkeypatch, demo, Release(url=f"{address}/demo", sha256="0" * 64))
    with pytest.raises(InstallError, match=f"has SHA-256 [0-9a-f]{{64}}, pinned is {'0' * 64}"):
        install.ensure(demo.name)
    assert not install.cached_path(demo).exists()


def test_a_release_out_of_reach_is_built_from_source_instead(
    demo: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_release(monkeypatch, demo, Release(url="http://127.0.0.1:9/demo", sha256="0" * 64))
    assert install.ensure(demo.name).read_bytes()[:4] == b"\x7fELF"


def test_a_second_process_waits_for_the_first_and_says_so(
    demo: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    target = install.cached_path(demo)
    target.parent.mkdir(parents=True)
    with target.parent.with_suffix(".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write("4711")
        stream.flush()
        waiting = threading.Thread(target=install.ensure, args=(demo.name,))
        waiting.start()
        time.sleep(0.5)
        assert not target.exists()
        # What the first process made is taken, not made again.
        target.write_text(SCRIPT)
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert "waiting for process 4711, which is installing demo" in capsys.readouterr().err
    assert target.read_text() == SCRIPT


def test_the_command_line_prints_one_clear_error_and_fails(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tools", "install", "etcd"],
        cwd=REPOSITORY,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "error: Go is not installed" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_every_program_has_sources_that_are_pinned() -> None:
    for program in PROGRAMS.values():
        assert (program.module_dir / "go.mod").is_file()
        assert (program.module_dir / "go.sum").stat().st_size > 0
        assert program.version.lstrip("v") in program.ldflags or program.ldflags == "-s -w"


@pytest.mark.engine
def test_the_pulumi_language_script_comes_from_the_pinned_module() -> None:
    script = install.language_python_exec()
    assert script.name == "pulumi-language-python-exec"
    assert "@v3.259.0" in str(script)
    assert script.read_text().startswith("#!")


@pytest.mark.engine
def test_etcd_is_built_from_an_empty_cache(empty_cache: Path) -> None:
    etcd = install.ensure("etcd")
    assert etcd.is_relative_to(empty_cache) or install.on_path(PROGRAMS["etcd"]) == etcd
    answer = subprocess.run([etcd, "--version"], capture_output=True, text=True, check=True)
    assert "etcd Version: 3.6.8" in answer.stdout
