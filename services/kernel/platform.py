"""A service on the real engines: settings in, a working application and its database out."""

from __future__ import annotations

import pkgutil
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from bson.int64 import Int64
from minio import Minio
from pymongo import MongoClient
from pymongo.database import Database

import services
from services.kernel import health, inbox
from services.kernel.application import Application, Reads, ServiceDefinition
from services.kernel.clock import Clock, SystemClock
from services.kernel.commands import Journal
from services.kernel.config import Settings
from services.kernel.keyring import SqliteKeyring, decode_kek
from services.kernel.mail import SmtpMail
from services.kernel.peers import Peers
from services.kernel.reads import TenantReads
from services.kernel.registry import Registry
from services.kernel.secrets import Secrets, decode_seed
from services.kernel.shelf import Shelf
from services.kernel.store import MongoCommitStore, connect
from services.kernel.timers import Timers

Document = dict[str, Any]


class MongoReads(Reads):
    """The read models of a service in its MongoDB database."""

    def __init__(self, db: Database[Document], definition: ServiceDefinition) -> None:
        self._own = [Shelf(db, model) for model in definition.read_models]
        self._shelves = {
            shelf.model.name: shelf
            for shelf in (*self._own, *(Shelf(db, model) for model in definition.foreign_models))
        }
        self._cursors = db["cursors"]
        self._log = db["events"]

    def of(self, tenant: str) -> TenantReads:
        """See `Reads.of`."""
        return TenantReads(self._shelves, tenant)

    def shelf(self, model: str) -> Shelf:
        """Where one read model stands. Raises KeyError for an unknown one."""
        return self._shelves[model]

    def position(self) -> int:
        """Up to where every read model of own facts is noted to have followed the log."""
        return min(self._positions().values(), default=0)

    def visible(self, position: int) -> bool:
        """See `Reads.visible`; one round trip for all models, two while some are behind."""
        behind = {shelf: at for shelf, at in self._positions().items() if at < position}
        concerned = [
            {"category": {"$in": list(shelf.model.categories)}, "_id": {"$gt": Int64(at), "$lte": Int64(position)}}
            for shelf, at in behind.items()
        ]
        # A cursor moves late over commits that do not concern its model, so being behind is not yet lacking.
        return not concerned or self._log.find_one({"$or": concerned}, {"_id": 1}) is None

    def followed(self, model: str) -> int:
        """See `Reads.followed`; what does not concern the model need not have been noted."""
        shelf = self._shelves[model]
        newest = self._log.find_one(sort=[("_id", -1)], projection={"_id": 1})
        head = int(newest["_id"]) if newest else 0
        at = shelf.position(shelf.live())
        lacking = {"category": {"$in": list(shelf.model.categories)}, "_id": {"$gt": Int64(at), "$lte": Int64(head)}}
        first = self._log.find_one(lacking, {"_id": 1}, sort=[("_id", 1)])
        return head if first is None else int(first["_id"]) - 1

    def _positions(self) -> dict[Shelf, int]:
        live = {shelf.live(): shelf for shelf in self._own}
        found = {row["_id"]: int(row["position"]) for row in self._cursors.find({"_id": {"$in": list(live)}})}
        return {shelf: found.get(name, 0) for name, shelf in live.items()}


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything one process of a service holds open; close it when the process ends."""

    client: MongoClient[Document]
    db: Database[Document]
    store: MongoCommitStore
    registry: Registry
    keyring: SqliteKeyring
    reads: MongoReads
    timers: Timers
    clock: Clock
    settings: Settings
    definition: ServiceDefinition
    application: Application

    def ensure_indexes(self) -> None:
        """Create every index that a guarantee rests on, and the live read models; safe to repeat."""
        self.store.ensure_indexes()
        self.timers.ensure_indexes()
        inbox.ensure_indexes(self.db)
        for model in (*self.definition.read_models, *self.definition.foreign_models):
            shelf = self.reads.shelf(model.name)
            shelf.prepare(shelf.live())

    def close(self) -> None:
        """Let go of the engines."""
        self.client.close()
        self.keyring.close()


def all_services() -> list[str]:
    """Every service of this code: the packages beside the kernel that have a wiring."""
    names = [module.name for module in pkgutil.iter_modules(services.__path__) if module.ispkg]
    return sorted(name for name in names if find_spec(f"services.{name}.wiring") is not None)


def definition_of(service: str) -> ServiceDefinition:
    """What the service's `wiring.define()` says it is. Raises ModuleNotFoundError for an unknown service."""
    definition: ServiceDefinition = import_module(f"services.{service}.wiring").define()
    return definition


def open_platform(definition: ServiceDefinition, settings: Settings, clock: Clock | None = None) -> Platform:
    """Connect one process of a service. Raises ValueError when an address or secret is unfit."""
    client = connect(settings.mongo_url.get_secret_value())
    db = client[f"{settings.db_prefix}{definition.name}"]
    registry = Registry(definition.name, definition.deciders)
    keyring = SqliteKeyring(
        settings.keyring_dir / f"{settings.db_prefix}{definition.name}.sqlite",
        decode_kek(settings.keyring_kek.get_secret_value()),
    )
    store = MongoCommitStore(db)
    reads = MongoReads(db, definition)
    the_clock = clock or SystemClock()
    ports: dict[str, Any] = {
        "mail": lru_cache(lambda: _mail(settings)),
        "objects": lru_cache(lambda: objects(settings)),
        "peers": lru_cache(lambda: Peers(settings.amqp_url.get_secret_value())),
        "health": lambda: health.report(platform),
    }
    platform: Platform = Platform(
        client=client,
        db=db,
        store=store,
        registry=registry,
        keyring=keyring,
        reads=reads,
        timers=Timers(db, the_clock, timedelta(seconds=settings.timer_lease_seconds)),
        clock=the_clock,
        settings=settings,
        definition=definition,
        application=Application(
            definition,
            Journal(store, registry, keyring),
            reads,
            the_clock,
            settings,
            Secrets(decode_seed(settings.token_seed.get_secret_value())),
            ports,
        ),
    )
    return platform


def objects(settings: Settings) -> Minio:
    """The object store's client, with every bucket made that is new."""
    address = urlsplit(settings.s3_endpoint)
    client = Minio(
        address.netloc,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=address.scheme == "https",
    )
    with _bucket_making:
        for bucket in (settings.s3_bucket, settings.s3_incoming_bucket, settings.s3_media_bucket):
            if not client.bucket_exists(bucket):
                client.make_bucket(bucket)
    return client


_bucket_making = threading.Lock()


def _mail(settings: Settings) -> SmtpMail:
    return SmtpMail(settings.smtp_url.get_secret_value(), settings.mail_from)
