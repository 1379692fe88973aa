"""The engine of e-mail: a post office that keeps what is sent instead of delivering it."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.local.child import Child, clean_environment
from deploy.local.engine import Engine, Progress, silent
from deploy.local.ports import listening

_REPOSITORY = Path(__file__).resolve().parents[2]


class Mail(Engine):
    name = "mail"
    stop_grace = 5.0

    def __init__(self, data: Path, *, smtp_port: int, http_port: int, progress: Progress = silent) -> None:
        super().__init__(data, progress=progress)
        self._smtp_port = smtp_port
        self._http_port = http_port

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._smtp_port}"

    @property
    def mailbox_url(self) -> str:
        return f"http://127.0.0.1:{self._http_port}"

    def install(self) -> None:
        """Part of the platform's own environment: nothing to install."""

    def _spawn(self) -> Child:
        argv = [sys.executable, "-m", "deploy.local.mailbox", str(self.data / "messages")]
        argv += [str(self._smtp_port), str(self._http_port)]
        with self.log.open("wb") as log:
            return Child(argv, env=clean_environment(PYTHONPATH=str(_REPOSITORY)), output=log)

    def _ready(self) -> bool:
        return listening(self._smtp_port) and listening(self._http_port)
