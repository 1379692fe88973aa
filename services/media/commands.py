"""The commands of this service: their names, the aggregate that decides, and what it must know first."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.application import Do, On
from services.media import clearing, receiving, sweeping, verifying
from services.media.domain.upload import AbortUpload, BeginUpload, FinishUpload, upload

COMMANDS: Mapping[str, On | Do] = {
    "begin_upload": On(upload, BeginUpload, id="upload_id", prepare=receiving.beginning, answer=receiving.begun),
    "begin_upload_from_device": On(
        upload, BeginUpload, id="upload_id", prepare=receiving.beginning_from_device, answer=receiving.begun
    ),
    "finish_upload": On(upload, FinishUpload, id="upload_id", prepare=receiving.ones_own),
    "abort_upload": On(upload, AbortUpload, id="upload_id", prepare=receiving.ones_own),
    # The service's own: its reactions and timers ask for these, nobody else may.
    "expire_upload": Do(clearing.expire_upload),
    "verify_upload": Do(verifying.verify_upload),
    "clear_upload": Do(clearing.clear_upload),
    "withdraw_unused": Do(clearing.withdraw_unused),
    "forget_unused": Do(clearing.forget_unused),
    "restore_used": Do(clearing.restore_used),
    "sweep_media": Do(sweeping.sweep_media),
    "clear_objects": Do(clearing.clear_objects),
}
