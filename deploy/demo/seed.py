"""Loads a small company once into a platform that `make run` keeps up, and writes who may log in.

Cut off in the middle, it is told again from its beginning the next time, and nothing is there twice.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from pathlib import Path

from deploy.demo.company import Company
from deploy.demo.staff import let_in, set_prices
from deploy.demo.story import FILES, PASSWORD, until_known

STORY = uuid.UUID("c1d1c9a0-5b0e-4f5e-8a54-6f0b6c2f9d11")


def main() -> int:
    """Found the company; the file named by CHECKOP_DEMO_FILE gets its people."""
    company = Company.register(
        os.environ["CHECKOP_GATEWAY_URL"],
        os.environ["MAILBOX_URL"],
        "Frío Andino S.A.S.",
        "Laura Gómez",
        PASSWORD,
        domain="frio.example.com",
        story=STORY,
    )
    set_prices(let_in(os.environ, "finance"))
    admin = company.invite(company.owner, "Andrés Peña", "admin", PASSWORD)
    crew = [company.invite(admin, name, "technician", PASSWORD) for name in ("Tomás Ruiz", "Nubia Cárdenas")]
    company.form_team(admin, "Cuadrilla Norte", crew)
    company.define_work(admin)
    company.import_file(admin, "customers", "customers.xlsx", (FILES / "customers.xlsx").read_bytes())
    company.import_file(admin, "tasks", "tasks.csv", (FILES / "tasks.csv").read_bytes())
    job = company.open_task(admin, "Revisión de la cava 3")
    until_known(lambda: admin.post(f"/v1/tasks/{job}/assign", {"team_id": company.team_id}))
    people = [{"who": p.who, "e-mail": p.email, "password": p.password} for p in company.logins]
    Path(os.environ["CHECKOP_DEMO_FILE"]).write_text(json.dumps(people, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
