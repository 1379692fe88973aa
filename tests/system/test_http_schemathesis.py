"""Requests made up from the OpenAPI document, right and wrong: the platform never answers with an error of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.callers import Platform, furnish, register

SECONDS = 90
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
APART = ("log_out", "revoke_session", "set_policies", "follow", "pause_account")
"""They would end the session the rest needs, lock it out, never end, or let the account rest; tested elsewhere."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)


@pytest.mark.timeout(SECONDS * 3)
def test_no_made_up_request_breaks_the_platform(platform: Platform, tmp_path: Path) -> None:
    owner = register(platform, "Esquema S.A.S.")
    # Things that exist, so that not every request ends at an unknown id; the session is the one in use.
    ids = {name: id for name, id in furnish(owner).items() if name not in ("session_id", "parent")}
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        f'hooks = "{HOOKS}"\n[parameters]\n' + "".join(f'"path.{name}" = "{id}"\n' for name, id in ids.items())
    )
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
    command += [f"{platform.base_url}/openapi.json", "--header", f"Authorization: Bearer {owner.token}"]
    command += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "5"]
    command += ["--max-time", str(SECONDS), "--workers", "2", "--seed", "1", "--no-shrink", "--continue-on-failure"]
    command += ["--warnings", "off", "--suppress-health-check", "all", "--request-timeout", "20"]
    for operation in APART:
        command += ["--exclude-operation-id", operation]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS * 2, check=False)
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
    selected, tested = re.search(r"Selected: (\d+)/", ran.stdout), re.search(r"Tested: (\d+)", ran.stdout)
    assert selected is not None, ran.stdout[-2_000:]
    assert tested is not None, ran.stdout[-2_000:]
    assert selected[1] == tested[1], ran.stdout[-2_000:]
