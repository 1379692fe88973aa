"""One turn of reading a whole log in a process of its own: a rebuild as an operator starts it, or a bare cursor."""

from __future__ import annotations

import sys
import time

import orjson
from pymongo.read_concern import ReadConcern

import bench.run  # noqa: F401  # makes the sample services known
from services.kernel import heap
from services.kernel.config import settings
from services.kernel.platform import Platform, definition_of, open_platform
from services.kernel.projection import REBUILD_BATCH, Projector


def rebuild(platform: Platform) -> int:
    """Facts folded into a new generation, which is then live."""
    (model,) = platform.definition.read_models
    projector = Projector(platform.db, model, platform.store, platform.registry, platform.keyring)
    _generation, folded = projector.rebuild()
    return folded


def read(platform: Platform) -> int:
    """Documents that a cursor brought, decoded from BSON and dropped."""
    log = platform.db.get_collection("events", read_concern=ReadConcern("majority"))
    return sum(1 for _ in log.find({"_id": {"$gt": 0}}).sort("_id", 1).batch_size(REBUILD_BATCH))


if __name__ == "__main__":
    opened = open_platform(definition_of("sample"), settings())
    opened.store.head()  # the connection stands before the clock runs
    if sys.argv[1] == "rebuild":
        heap.settle()  # as the operator's command does
    began = time.perf_counter()
    facts = rebuild(opened) if sys.argv[1] == "rebuild" else read(opened)
    took = time.perf_counter() - began
    opened.close()
    sys.stdout.write(orjson.dumps({"facts": facts, "seconds": took}).decode())
