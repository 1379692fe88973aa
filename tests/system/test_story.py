"""The story that `make demo` tells, held to its word on the platform of the tests."""

from __future__ import annotations

from pathlib import Path

from pypdf import PdfReader
from rich.console import Console

from deploy.demo.story import Teller, tell
from tests.system.callers import Platform


def test_the_story_holds_from_registration_to_the_crash(platform: Platform, tmp_path: Path) -> None:
    teller = Teller(Console(width=140, highlight=False))
    facts = tell(teller, platform.env, platform.supervisor.kill, tmp_path)
    assert facts["completed tasks"] == 12
    assert facts["files of evidence"] == 9
    words = PdfReader(facts["report"]).pages[0].extract_text()
    assert words.startswith("Informe de servicio\nFrío Andino S.A.S.\n")
    assert "Mantenimiento de la cava 3\nCompletada" in words
    assert facts["people"] == 12
