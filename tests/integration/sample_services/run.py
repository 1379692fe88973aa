"""Runs one process of a sample service, or an operator's verb on them, exactly as for a real service."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import services

services.__path__.append(str(Path(__file__).parent))

if __name__ == "__main__":
    sys.exit(import_module(f"services.kernel.{sys.argv[1]}").main(sys.argv[2:]))
