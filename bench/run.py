"""Runs one process of a sample service with the kernel's own code: `python -m bench.run service|relay|worker NAME`."""

from __future__ import annotations

import sys
from pathlib import Path

import services

# The samples are services like any other, but only where something is measured.
services.__path__.append(str(Path(__file__).parent / "services"))

if __name__ == "__main__":
    from services.kernel.run import main

    sys.exit(main(sys.argv[1:]))
