"""`python -m tests.support.program service|relay|worker|rebuild parcels|depots`: the kernel's programs, on samples."""

from __future__ import annotations

import sys
from pathlib import Path

import services
from services.kernel.run import main

services.__path__.append(str(Path(__file__).parents[1] / "examples" / "services"))


def rebuild(service: str) -> int:
    """Build the service's own read models anew."""
    from services.kernel import faults
    from services.kernel.config import settings
    from services.kernel.platform import definition_of, open_platform
    from services.kernel.projection import Projector

    faults.arm_from(settings().fault_point)
    platform = open_platform(definition_of(service), settings())
    for model in platform.definition.read_models:
        Projector(platform.db, model, platform.store, platform.registry, platform.keyring).rebuild()
    platform.close()
    return 0


if __name__ == "__main__":
    role, service = sys.argv[1:]
    sys.exit(rebuild(service) if role == "rebuild" else main([role, service]))
