"""`python -m operations.evidence`: export evidence, verify it offline."""

from operations.evidence.cli import app

if __name__ == "__main__":
    app(prog_name="python -m operations.evidence")
