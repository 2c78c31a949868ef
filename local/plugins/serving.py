"""The life of a plugin process: serve gRPC on a free loopback port, tell the engine the port, end with it."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc  # type: ignore[import-untyped]  # published without types

# The engine's own limit (sdk/go/common/util/rpcutil: 400 MB).
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
# More than the engine's parallelism (4 x cores) on any machine this runs on; idle threads cost nothing.
WORKER_THREADS = 64


def serve(register: Callable[[grpc.Server], None], before_exit: Callable[[], None] = lambda: None) -> None:
    """Serve until the engine interrupts this process or is gone; does not return.

    Args:
        register: Adds the plugin's services to the server.
        before_exit: Called once on the way out, for child processes that must not outlive this one.
    """
    server = grpc.server(
        ThreadPoolExecutor(max_workers=WORKER_THREADS),
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    finished = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: finished.set())
    server.start()
    print(port, flush=True)
    threading.Thread(target=_wait_for_engine, args=(finished,), daemon=True).start()
    finished.wait()
    before_exit()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # calls in flight belong to an engine that no longer listens


def _wait_for_engine(finished: threading.Event) -> None:
    """Set ``finished`` when the engine is gone: it holds the other end of our standard input."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return  # started by hand
    while os.read(0, 4096):
        pass
    finished.set()
