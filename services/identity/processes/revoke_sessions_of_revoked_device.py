"""When a device is sent away, the sessions on it end; they could not be refreshed any more in any case."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.device import DeviceRevoked
from services.kernel.application import Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """End the person's open sessions on it."""
    match fact.event:
        case DeviceRevoked(device_id=device_id, user_id=user_id):
            on_it = {"user_id": user_id, "status": "open", "device_id": device_id}
            for row in app.reads(fact)["sessions"].find(on_it):
                yield Dispatch("end_session", {"session_id": row["id"], "reason": "device-revoked"})


revoke_sessions_of_revoked_device = Reaction("revoke_sessions_of_revoked_device", categories=("device",), react=react)
