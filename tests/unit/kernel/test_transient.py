"""What is tried again and what stops its stream: about an engine's state, or about the content."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from minio.error import S3Error, ServerError
from pydantic import BaseModel, ValidationError
from pymongo import errors
from urllib3.exceptions import MaxRetryError, NewConnectionError

from services.kernel import faults
from services.kernel.commit import StoreUnavailable, VersionConflict
from services.kernel.domain import Rejected
from services.kernel.inbox import transient
from services.kernel.keyring import InvalidTag
from services.kernel.mail import MailRefused
from services.kernel.registry import UnknownEvent


def labelled(label: str) -> errors.PyMongoError:
    error = errors.OperationFailure("x", 999)
    error._add_error_label(label)
    return error


def s3_error(code: str) -> S3Error:
    return S3Error(response=None, code=code, message="x", resource="x", request_id="x", host_id="x")  # type: ignore[arg-type]


def refusal_of_a_model() -> ValidationError:
    class Model(BaseModel):
        x: int

    with pytest.raises(ValidationError) as refused:
        Model.model_validate({})
    return refused.value


PASSING: list[BaseException] = [
    errors.AutoReconnect("x"),
    errors.ServerSelectionTimeoutError("x"),
    errors.NotPrimaryError("x"),
    errors.NetworkTimeout("x"),
    errors.WaitQueueTimeoutError("x"),
    errors.ExecutionTimeout("x", 50),
    errors.WTimeoutError("x", 64),
    errors.WriteConcernError("x", 91),
    errors.OperationFailure("x", 262),
    errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
    labelled("TransientTransactionError"),
    labelled("UnknownTransactionCommitResult"),
    labelled("RetryableWriteError"),
    StoreUnavailable("x"),
    VersionConflict("x"),
    ConnectionRefusedError(),
    TimeoutError(),
    smtplib.SMTPServerDisconnected("x"),
    MaxRetryError(None, "http://x", NewConnectionError(None, "x")),  # type: ignore[arg-type]
    s3_error("SlowDown"),
    s3_error("InternalError"),
    ServerError("x", 503),
    faults.InjectedFault("x"),
]
LASTING: list[BaseException] = [
    errors.DuplicateKeyError("x", 11000),
    errors.WriteError("x", 121),
    errors.DocumentTooLarge("x"),
    errors.OperationFailure("x", 2),
    errors.BulkWriteError({"writeErrors": [{"code": 121}], "writeConcernErrors": []}),
    s3_error("NoSuchKey"),
    s3_error("AccessDenied"),
    MailRefused(550),
    refusal_of_a_model(),
    Rejected("no"),
    InvalidTag(),
    UnknownEvent("x"),
    KeyError("x"),
    ZeroDivisionError(),
]


def name(error: Any) -> str:
    return f"{type(error).__name__} {error}"[:40]


@pytest.mark.parametrize("error", PASSING, ids=name)
def test_what_may_pass_is_waited_for(error: BaseException) -> None:
    assert transient(error)


@pytest.mark.parametrize("error", LASTING, ids=name)
def test_what_will_not_pass_stops_its_stream(error: BaseException) -> None:
    assert not transient(error)
