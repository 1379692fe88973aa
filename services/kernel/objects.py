"""Uploaded files in the object store: fetched whole, within a limit, and removed when they have served."""

from __future__ import annotations

from typing import Any


def fetch(objects: Any, bucket: str, key: str, limit: int) -> bytes | None:
    """The file's bytes, one more than `limit` at most; None when there is no such file.

    Raises OSError when the store does not answer as it should, which is worth another attempt.
    """
    try:
        answer = objects.get_object(bucket, key)
    except Exception as why:
        if getattr(why, "code", None) in ("NoSuchKey", "NoSuchBucket"):
            return None
        raise OSError(f"the object store did not give the file: {why!r}") from why
    try:
        data: bytes = answer.read(limit + 1)
    except Exception as why:
        raise OSError(f"the object store broke off: {why!r}") from why
    finally:
        answer.close()
        answer.release_conn()
    return data


def remove(objects: Any, bucket: str, key: str) -> None:
    """Delete the file; harmless when it has gone. Raises OSError when the store does not answer."""
    try:
        objects.remove_object(bucket, key)
    except Exception as why:
        if getattr(why, "code", None) not in ("NoSuchKey", "NoSuchBucket"):
            raise OSError(f"the object store did not remove the file: {why!r}") from why
