"""A device is a phone or browser that a person has logged in on and may be sent away from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.identity.domain.values import Id, Personal
from services.kernel.domain import Command, Decider, Event, Rejected


class DeviceRegistered(Event):
    """The person proved who they are on this device for the first time."""

    device_id: str
    user_id: str
    label: Personal
    registered_at: AwareDatetime


class DeviceRevoked(Event):
    """The device is lost, sold or stolen: nobody logs in as this person on it again."""

    device_id: str
    user_id: str


DeviceEvent = DeviceRegistered | DeviceRevoked


class RegisterDevice(Command):
    """The person logged in on it."""

    device_id: Id
    user_id: Id
    label: Annotated[str, Field(max_length=200)] = ""


class RevokeDevice(Command):
    """Send it away."""

    device_id: Id
    user_id: Id


DeviceCommand = RegisterDevice | RevokeDevice


@dataclass(frozen=True, slots=True)
class Device:
    """One person on one device; two people sharing a phone are two of these."""

    status: Literal["none", "registered", "revoked"] = "none"


initial_state = Device()


def decide(command: DeviceCommand, state: Device) -> list[DeviceEvent]:
    """What a request about this device leads to."""
    match command:
        case RegisterDevice():
            if state.status == "revoked":
                raise Rejected("device-revoked", device_id=command.device_id)
            if state.status == "registered":
                return []
            return [
                DeviceRegistered(
                    device_id=command.device_id,
                    user_id=command.user_id,
                    label=command.label,
                    registered_at=command.at,
                )
            ]
        case RevokeDevice(device_id=device_id, user_id=user_id):
            if state.status == "none":
                raise Rejected("device-unknown", device_id=device_id)
            return [] if state.status == "revoked" else [DeviceRevoked(device_id=device_id, user_id=user_id)]
        case _:
            assert_never(command)


def evolve(state: Device, event: DeviceEvent) -> Device:
    """The device after one more fact."""
    match event:
        case DeviceRegistered():
            return Device(status="registered")
        case DeviceRevoked():
            return Device(status="revoked")
        case _:
            assert_never(event)


device = Decider(
    "device",
    initial_state,
    decide,
    evolve,
    events={"DeviceRegistered": DeviceRegistered, "DeviceRevoked": DeviceRevoked},
)
