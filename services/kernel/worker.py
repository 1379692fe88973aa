"""What a service does by itself, beside answering: keeps read models, carries out policies, fires timers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from bson.int64 import Int64

from services.kernel import logging, projection
from services.kernel.application import Reaction
from services.kernel.handlers import of_reaction, place_of
from services.kernel.inbox import Inbox
from services.kernel.platform import Platform
from services.kernel.process import cursor_id, fire_timers
from services.kernel.projection import Projector
from services.kernel.tail import Head, Recent, breather

log = logging.get(__name__)
BATCH = 200
TIMER_SECONDS = 0.5
HELPER_SECONDS = 10.0
NOTED_SECONDS = 1.0
RESTS_AFTER = 1.0
QUIET_SECONDS = 4.0


class Follower:
    """One reaction following its service's own log: a position for reading on, an inbox for order and once-only.

    The inbox keeps what matters; the position only saves reading the log from its beginning again, so it
    is noted at once behind what concerns the reaction, and now and then behind the rest.
    """

    def __init__(self, platform: Platform, reaction: Reaction, recent: Recent | None = None) -> None:
        self._platform = platform
        self._reaction = reaction
        self._log, self._typing = recent or platform.store, recent or platform.registry
        self._inbox = Inbox(platform.db, of_reaction(reaction, platform), platform.clock)
        self._cursors = platform.db["cursors"]
        self._id = cursor_id(reaction.name)
        self._at: int | None = None
        self._noted = 0.0
        self._noted_at = 0

    def position(self) -> int:
        """Up to where the log has been taken in."""
        if self._at is None:
            row = self._cursors.find_one({"_id": self._id})
            self._at = int(row["position"]) if row else 0
        return self._at

    def step(self) -> int:
        """Take in the next batch; the position moves after every fact in it has a durable outcome."""
        commits = self._log.after(self.position(), BATCH)
        concerned = [commit for commit in commits if commit.category in self._reaction.categories]
        facts = [fact for commit in concerned for fact in self._typing.followed(commit, self._platform.keyring)]
        with logging.bound(handler=self._reaction.name):
            self._inbox.receive_all([(fact, place_of(fact)) for fact in facts])
        if commits:
            self._at = commits[-1].position
            if concerned or time.monotonic() - self._noted > NOTED_SECONDS:
                self._note(self._at)
        return len(commits)

    def rest(self, passed: int) -> None:
        """Nothing comes at the moment: note that the log was read, or passed over, up to there."""
        self._at = max(self.position(), passed)
        if self._noted_at < self._at:
            self._note(self._at)

    def _note(self, position: int) -> None:
        self._cursors.update_one({"_id": self._id}, {"$max": {"position": Int64(position)}}, upsert=True)
        self._noted, self._noted_at = time.monotonic(), position


class Worker:
    """The threads of one worker process. Several workers of a service may run; each step is safe to repeat."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._stop = threading.Event()
        self._recent = Recent(platform.store, platform.registry)
        self._head = Head(self._recent, self._stop)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Create what is missing and start every thread."""
        platform, recent = self._platform, self._recent
        for model in platform.definition.read_models:
            projector = Projector(platform.db, model, recent, recent, platform.keyring)
            projector.prepare()
            self._spawn(f"projection.{model.name}", self._following(projector, model.categories, projection.BATCH))
        for reaction in platform.definition.reactions:
            follower = Follower(platform, reaction, recent)
            self._spawn(f"reaction.{reaction.name}", self._following(follower, reaction.categories, BATCH))
        self._spawn("head", self._head.run)
        for clock in platform.definition.clocks:
            platform.timers.keep(clock)
        self._spawn("leases", self._leases)
        for number in range(platform.definition.timer_threads):
            # One looks for what is due; the others help when it has found something.
            self._spawn(f"timers.{number}", partial(self._timers, TIMER_SECONDS if number == 0 else HELPER_SECONDS))

    def stop(self) -> None:
        """End every thread after the step in hand."""
        self._stop.set()
        self._head.wake()
        self._platform.timers.stir()
        for thread in self._threads:
            thread.join(timeout=15)

    def wait(self) -> None:
        """Until `stop` is called."""
        self._stop.wait()

    def request_stop(self) -> None:
        """Let `wait` return; safe in a signal handler."""
        self._stop.set()

    def _following(self, who: Projector | Follower, categories: Iterable[str], whole: int) -> Callable[[], None]:
        watch = self._head.watch(categories)

        def run() -> None:
            patience = RESTS_AFTER
            while not self._stop.is_set():
                position = who.position()
                if not watch.wait(position, patience):
                    passed = watch.passed(position)
                    who.rest(passed)
                    patience = RESTS_AFTER if passed > position else QUIET_SECONDS
                    continue
                patience = RESTS_AFTER
                began = time.monotonic()
                while who.step() >= whole and not self._stop.is_set():
                    began = time.monotonic()  # less than a whole batch is the end of the log
                if isinstance(who, Projector):
                    # What a reaction does may take its time for itself; a rest would only make it later.
                    self._stop.wait(breather(time.monotonic() - began))

        return run

    def _timers(self, seconds: float) -> None:
        timers, seen = self._platform.timers, 0
        while not self._stop.is_set():
            fire_timers(timers, self._platform.application)
            seen = timers.wait(seen, seconds)

    def _leases(self) -> None:
        timers = self._platform.timers
        while not self._stop.wait(timers.lease.total_seconds() / 4):
            timers.renew()

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            pause = 0.2
            while not self._stop.is_set():
                try:
                    work()
                    return
                except Exception as broken:  # an engine was away, or a bug: say so, go on from the cursor
                    log.warning("worker.interrupted", thread=name, why=repr(broken), retry_in=pause)
                    self._stop.wait(pause)
                    pause = min(pause * 2, 5.0)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
