"""A device is a phone or browser that a person has logged in on and may be sent away from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
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


class DeviceEnrolled(Event):
    """The device works offline from now on: what it sends is signed with the key whose public half this is."""

    device_id: str
    user_id: str
    public_key: str
    enrolled_at: AwareDatetime


class DeviceRevoked(Event):
    """The device is lost, sold or stolen: nobody logs in as this person on it again."""

    device_id: str
    user_id: str
    revoked_at: AwareDatetime | None = None


DeviceEvent = DeviceRegistered | DeviceEnrolled | DeviceRevoked


class RegisterDevice(Command):
    """The person logged in on it."""

    device_id: Id
    user_id: Id
    label: Annotated[str, Field(max_length=200)] = ""


class EnrolDevice(Command):
    """Bind the device to its key (Ed25519, base64url); that it has the private half is proven before."""

    device_id: Id
    user_id: Id
    public_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class RevokeDevice(Command):
    """Send it away."""

    device_id: Id
    user_id: Id


DeviceCommand = RegisterDevice | EnrolDevice | RevokeDevice


@dataclass(frozen=True, slots=True)
class Device:
    """One person on one device; two people sharing a phone are two of these."""

    status: Literal["none", "registered", "revoked"] = "none"
    public_key: str | None = None
    revoked_at: datetime | None = None


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
        case EnrolDevice():
            return _enrol(command, state)
        case RevokeDevice(device_id=device_id, user_id=user_id, at=at):
            if state.status == "none":
                raise Rejected("device-unknown", device_id=device_id)
            revoked = DeviceRevoked(device_id=device_id, user_id=user_id, revoked_at=at)
            return [] if state.status == "revoked" else [revoked]
        case _:
            assert_never(command)


def _enrol(command: EnrolDevice, state: Device) -> list[DeviceEvent]:
    if state.status == "none":
        raise Rejected("device-unknown", device_id=command.device_id)
    if state.status == "revoked":
        raise Rejected("device-revoked", device_id=command.device_id)
    if state.public_key == command.public_key:
        return []
    if state.public_key is not None:
        # A phone set up anew is another device; another key for this one would be somebody else's.
        raise Rejected("device-key-set", device_id=command.device_id)
    return [
        DeviceEnrolled(
            device_id=command.device_id,
            user_id=command.user_id,
            public_key=command.public_key,
            enrolled_at=command.at,
        )
    ]


def evolve(state: Device, event: DeviceEvent) -> Device:
    """The device after one more fact."""
    match event:
        case DeviceRegistered():
            return Device(status="registered")
        case DeviceEnrolled(public_key=public_key):
            return replace(state, public_key=public_key)
        case DeviceRevoked(revoked_at=at):
            return replace(state, status="revoked", revoked_at=at)
        case _:
            assert_never(event)


device: Decider[DeviceCommand, Device, DeviceEvent] = Decider(
    "device",
    initial_state,
    decide,
    evolve,
    events={
        "DeviceRegistered": DeviceRegistered,
        "DeviceEnrolled": DeviceEnrolled,
        "DeviceRevoked": DeviceRevoked,
    },
)
