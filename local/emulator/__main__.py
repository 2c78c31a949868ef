"""`python -m local.emulator --port PORT --state FILE`: serve AWS on 127.0.0.1 until TERM."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from local.emulator.app import EmulatorApplication
from local.ports import LOOPBACK


class _RequestHandler(MotoRequestHandler):
    """moto's handler, without a log line per request: the log is for what matters."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log what failed on our side only."""
        if str(code).startswith("5"):
            super().log_request(code, size)


def main() -> None:
    """Serve until TERM or INT, then save."""
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument("--state", type=Path, required=True, help="snapshot file")
    arguments = parser.parse_args()

    application = EmulatorApplication(arguments.state)
    server = make_server(
        LOOPBACK, arguments.port, application, threaded=True, request_handler=_RequestHandler
    )

    def end(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this very thread runs.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"AWS emulator on http://{LOOPBACK}:{arguments.port}", flush=True)
    server.serve_forever()
    application.persistence.stop()


if __name__ == "__main__":
    main()
