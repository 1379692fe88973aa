"""The operator's command for people of Progresus: `make staff EMAIL= NAME= ROLE=`; with LEAVES=yes, they go."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

from services.identity.domain.staff import OPERATOR, STAFF_ROLES
from services.identity.wiring import define
from services.kernel import logging
from services.kernel.clock import new_id
from services.kernel.commit import PLATFORM, Caller
from services.kernel.config import settings
from services.kernel.domain import Rejected
from services.kernel.platform import open_platform

USAGE, REFUSED = 2, 1


def main(argv: Sequence[str] | None = None) -> int:
    """Invite one person, or send one away; answers the exit code."""
    parser = argparse.ArgumentParser(prog="make staff", description=__doc__)
    parser.add_argument("--email", required=True)
    parser.add_argument("--name")
    parser.add_argument("--role", choices=[role.removeprefix("staff:") for role in STAFF_ROLES])
    parser.add_argument("--leaves", action="store_true", help="end this person's access")
    wanted = parser.parse_args(argv)
    if not wanted.leaves and not (wanted.name and wanted.role):
        parser.error("say who it is: NAME= and ROLE=")
    logging.configure("operator", "WARNING", sys.stderr)
    who = os.environ.get("CHECKOP_OPERATOR") or getpass.getuser()
    caller = Caller(tenant=PLATFORM, actor=f"operator:{who}", role=OPERATOR, correlation_id=new_id())
    command, data = "dismiss_staff", {"email": wanted.email}
    if not wanted.leaves:
        command, data = "invite_staff", data | {"name": wanted.name, "role": f"staff:{wanted.role}"}
    platform = open_platform(define(), settings())
    try:
        platform.ensure_indexes()
        made = platform.application.execute(command, data, caller, new_id())
    except Rejected as refused:
        sys.stderr.write(f"refused: {refused.code} {refused.details or ''}\n")
        return REFUSED
    finally:
        platform.close()
    done = "has no access any more" if wanted.leaves else "is invited; the link is in the mail and works once"
    sys.stdout.write(f"{wanted.email} {done} (user {made['user_id']})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
