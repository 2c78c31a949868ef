from __future__ import annotations

import signal

# A shell starts background commands with Ctrl-C ignored; what tests start and interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
