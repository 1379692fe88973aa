"""Evidence in front of the running platform: files made here, sent by clients of several makes, and waited for."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from minio import Minio
from tusclient.client import TusClient

from tests.system.callers import Client, Platform, within

JS = Path(__file__).with_name("tus_js")
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"


@dataclass(frozen=True)
class File:
    """Some bytes and what they are said to be."""

    content: bytes
    type: str = "text/plain"
    name: str = "nota.txt"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def id(self) -> str:
        return f"sha256:{self.sha256}"

    @property
    def metadata(self) -> dict[str, str]:
        return {"sha256": self.sha256, "filetype": self.type, "filename": self.name}


def note(size: int = 300_000) -> File:
    """A text that nobody has written before."""
    return File(base64.b64encode(os.urandom(size))[:size])


def text(value: str) -> str:
    """As tus writes what is said about a file."""
    return base64.b64encode(value.encode()).decode()


def begun(who: Client, file: File, **more: str) -> httpx.Response:
    """The answer to a creation."""
    told = ",".join(f"{key} {text(value)}" for key, value in file.metadata.items())
    headers = {**TUS, "Upload-Length": str(len(file.content)), "Upload-Metadata": told, **more}
    return who("POST", "/v1/uploads", headers=headers)


def place(who: Client, file: File) -> str:
    """The path of a new upload."""
    answer = begun(who, file)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def sent(who: Client, path: str, offset: int, content: bytes, **more: str) -> httpx.Response:
    """The answer to some bytes."""
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": OCTETS, **more}
    return who("PATCH", path, content=content, headers=headers)


def uploaded(who: Client, file: File) -> str:
    """The path of an upload whose bytes have all come."""
    path = place(who, file)
    answer = sent(who, path, 0, file.content)
    assert answer.status_code == 204, answer.text
    return path


def settled(who: Client, path: str) -> dict[str, Any]:
    """The upload once it is known what became of it."""
    within(30.0, lambda: who.ok("GET", path)["status"] in ("stored", "rejected"))
    return who.ok("GET", path)


def stored(who: Client, path: str) -> None:
    """The upload is stored, sooner or later."""
    told = settled(who, path)
    assert told["status"] == "stored", told


def by_tuspy(base_url: str, who: Client, file: File, **options: Any) -> str:
    """Sent by tuspy; the path of the upload."""
    client = TusClient(f"{base_url}/v1/uploads", headers={"Authorization": f"Bearer {who.token}"})
    options = {"metadata": file.metadata, "retries": 20, "retry_delay": 0.05, **options}
    uploader = client.uploader(file_stream=io.BytesIO(file.content), **options)
    uploader.upload()
    return urlsplit(str(uploader.url)).path


@cache
def javascript(folder: Path) -> Path:
    """The client in JavaScript with what it needs, put into this folder."""
    here = folder / "tus_js"
    shutil.copytree(JS, here, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--silent"], cwd=here, check=True, timeout=110)
    return here


def by_javascript(folder: Path, base_url: str, who: Client, file: File, **options: Any) -> dict[str, Any]:
    """Sent by tus-js-client; what it says about it."""
    here = javascript(folder)
    path = here / file.sha256
    path.write_bytes(file.content)
    asked = {
        "endpoint": f"{base_url}/v1/uploads",
        "file": str(path),
        "size": len(file.content),
        "token": who.token,
        "metadata": file.metadata,
        **options,
    }
    ran = subprocess.run(
        ["node", "client.mjs"], cwd=here, input=json.dumps(asked), capture_output=True, text=True, timeout=60
    )
    assert ran.stdout, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def store_of(env: Mapping[str, str]) -> Minio:
    """The object store as its owner sees it."""
    return Minio(
        urlsplit(env["S3_ENDPOINT"]).netloc,
        access_key=env["S3_ACCESS_KEY"],
        secret_key=env["S3_SECRET_KEY"],
        secure=False,
    )


def kept(platform: Platform, tenant: str) -> list[str]:
    """The sealed objects of an account."""
    bucket = platform.env["CHECKOP_S3_MEDIA_BUCKET"]
    found = store_of(platform.env).list_objects(bucket, f"t/{tenant}/", recursive=True)
    return [str(item.object_name) for item in found]
