"""`python -m tools install [NAME ...]`: provide programs and print where they are."""

from __future__ import annotations

import argparse
import sys

from tools.errors import InstallError
from tools.install import ensure
from tools.programs import PROGRAMS


def main() -> int:
    """Install what is named, or everything; the exit code is 1 on the first error."""
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    commands = parser.add_subparsers(required=True)
    install = commands.add_parser("install", help="provide pinned programs")
    install.add_argument("name", nargs="*", help=f"one of: {', '.join(PROGRAMS)} (default: all)")
    names = parser.parse_args().name or list(PROGRAMS)
    try:
        for name in names:
            print(f"{name}: {ensure(name)}", flush=True)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
