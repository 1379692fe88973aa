"""`python -m tests.support.program service|relay|worker parcels|depots`: the kernel's programs, on sample services."""

from __future__ import annotations

import sys
from pathlib import Path

import services
from services.kernel.run import main

services.__path__.append(str(Path(__file__).parents[1] / "examples" / "services"))

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
