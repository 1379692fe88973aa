"""The local stack: every engine and every program of the platform on one machine, without containers."""

from deploy.local.engine import Engine, EngineFailed, EngineMissing
from deploy.local.ports import PortTaken
from deploy.local.stack import LocalStack, StackBusy
from deploy.local.supervisor import Program, ProgramFailed, Supervisor

__all__ = [
    "Engine",
    "EngineFailed",
    "EngineMissing",
    "LocalStack",
    "PortTaken",
    "Program",
    "ProgramFailed",
    "StackBusy",
    "Supervisor",
]
