"""The baseline of the gateway: FastAPI and pymongo, one write or one read a request, nothing else.

No token is checked, nothing is decided, told or followed; a request is checked by its model, and the
write has the same write concern as a commit.
"""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from pymongo import MongoClient

_client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGO_URL"], tz_aware=True)
_tasks = _client[f"{os.environ['CHECKOP_DB_PREFIX']}plain"]["tasks"]

app = FastAPI()


class NewTask(BaseModel):
    """What a task is opened with."""

    title: str = Field(min_length=1, max_length=200)
    process_id: uuid.UUID
    subprocess_id: uuid.UUID
    description: str = ""
    priority: str = "normal"


@app.post("/v1/tasks", status_code=201)
def open_task(body: NewTask) -> dict[str, Any]:
    """One insert."""
    id = str(uuid.uuid4())
    _tasks.insert_one({"_id": id, "at": datetime.now(UTC), **body.model_dump(mode="json")})
    return {"id": id}


@app.get("/v1/tasks/{task_id}")
def task(task_id: uuid.UUID) -> dict[str, Any]:
    """One look-up."""
    found = _tasks.find_one({"_id": str(task_id)})
    if found is None:
        raise HTTPException(404)
    return {"id": found.pop("_id"), **found}
