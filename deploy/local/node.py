"""Node.js, in which the upload clients of browsers run; only tests need it."""

from __future__ import annotations

import shutil

from deploy.local import install
from deploy.local.engine import Progress, silent


def ensure(progress: Progress = silent) -> None:
    """Put it on this machine unless it is there. Raises EngineMissing or EngineFailed when that cannot be done."""
    # Some packages of it bring its package manager along, Debian's own does not.
    for program, package in (("node", "nodejs"), ("npm", "npm")):
        if shutil.which(program) is None:
            install.debian_package(package, component=f"Node.js ({program})", progress=progress)
