"""Keep the emulator's state on disk: a snapshot shortly after every change, and one at the end."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from local.emulator import snapshot

# After a change: wait until it has been quiet for a moment, but never longer than the second figure.
_QUIET_SECONDS = 0.2
_BEHIND_SECONDS = 0.8

_DRAIN_SECONDS = 2.0
_ATTEMPTS = 5


class Persistence:
    """Writes snapshots to one file, in a thread of its own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = threading.Condition()
        self._first_change = 0.0
        self._last_change = 0.0
        self._ending = False
        self._left_out: dict[str, str] = {}
        self._gate = _Gate()
        self._thread = threading.Thread(target=self._write_on, name="persistence")

    def load(self) -> None:
        """Restore the last snapshot; one that cannot be read is set aside and the emulator starts empty."""
        if not self._file.exists():
            return
        started = time.monotonic()
        try:
            services, lost = snapshot.restore(self._file.read_bytes())
        except snapshot.SnapshotError as error:
            aside = self._file.with_name(f"{self._file.name}.unreadable-{time.strftime('%Y%m%dT%H%M%S')}")
            self._file.replace(aside)
            print(
                f"the saved state cannot be restored ({error}); it is kept as {aside} and the emulator"
                " starts empty: `pulumi refresh`, then `pulumi up` make the resources again",
                flush=True,
            )
        else:
            print(f"restored {', '.join(services)} in {time.monotonic() - started:.2f} s", flush=True)
            for service, reason in lost.items():
                print(f"{service} cannot be restored and starts empty: {reason}", flush=True)

    def start(self) -> None:
        """Begin to watch for changes."""
        self._thread.start()

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """Mark what is done inside as a change; no snapshot is taken in the middle of it."""
        with self._gate.passage():
            try:
                yield
            finally:
                self.mark()

    def mark(self) -> None:
        """Note that something changed."""
        with self._changed:
            now = time.monotonic()
            self._first_change = self._first_change or now
            self._last_change = now
            self._changed.notify()

    def stop(self) -> None:
        """Write what is not written yet, and end."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join()

    def _write_on(self) -> None:
        while True:
            with self._changed:
                while not self._first_change and not self._ending:
                    self._changed.wait()
                if not self._first_change:
                    return
                while not self._ending and (pause := self._pause()) > 0:
                    self._changed.wait(pause)
                self._first_change = 0.0
            self._write()

    def _pause(self) -> float:
        """Seconds until the changes so far are to be written."""
        now = time.monotonic()
        return min(self._last_change + _QUIET_SECONDS, self._first_change + _BEHIND_SECONDS) - now

    def _write(self) -> None:
        try:
            content = self._dump()
            partial = self._file.with_suffix(".partial")
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(self._file)
        except Exception as error:  # noqa: BLE001 whatever it is, the emulator goes on and the next change tries again
            print(f"the state could not be saved: {error!r} ({self._file})", flush=True)

    def _dump(self) -> bytes:
        for attempt in range(_ATTEMPTS):
            try:
                with self._gate.closed():
                    content, left_out = snapshot.dump()
                break
            except RuntimeError:
                # A thread of moto's own changed a dict meanwhile; the gate holds back requests only.
                if attempt == _ATTEMPTS - 1:
                    raise
        if left_out != self._left_out:
            self._left_out = left_out
            for service, reason in left_out.items():
                print(f"{service} is not saved and will be empty after a restart: {reason}", flush=True)
        return content


class _Gate:
    """Many may pass at once; while it is closed, nobody enters and those inside have left."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._inside = 0
        self._is_closed = False

    @contextlib.contextmanager
    def passage(self) -> Iterator[None]:
        with self._state:
            while self._is_closed:
                self._state.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._state:
                self._inside -= 1
                self._state.notify_all()

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        with self._state:
            self._is_closed = True
            # A request that hangs must not stop the saving: go on after the time limit.
            self._state.wait_for(lambda: self._inside == 0, _DRAIN_SECONDS)
        try:
            yield
        finally:
            with self._state:
                self._is_closed = False
                self._state.notify_all()
