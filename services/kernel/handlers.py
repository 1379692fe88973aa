"""Makes the inbox handler of a subscription or an own reaction: what its effect is, and how its messages are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pymongo.client_session import ClientSession

from services.kernel.application import Reaction, Subscription
from services.kernel.commit import Recorded
from services.kernel.folding import Folding
from services.kernel.inbox import Handler
from services.kernel.message import incoming, typed
from services.kernel.platform import Platform
from services.kernel.process import carry_out
from services.kernel.shelf import Shelf


def of_subscription(subscription: Subscription, platform: Platform, generation: str | None = None) -> Handler:
    """The handler of foreign facts. A read model's cursors belong to its generation, so that a rebuild starts at 1.

    A fact is read by its model only when it is its turn: one that the model refuses then stops its own
    stream like any other poison, and can be unparked once the model is mended.
    """
    if subscription.into is None:
        return Handler(subscription.handler, incoming, reaction=_wanted(subscription, platform))
    shelf = platform.reads.shelf(subscription.into.name)
    into = generation or shelf.live()
    effects = _fold_into(subscription, shelf, into)
    return Handler(
        f"{subscription.handler}/{into}",
        incoming,
        effect=lambda fact, session: effects([fact], session),
        effects=effects,
    )


def of_reaction(reaction: Reaction, platform: Platform) -> Handler:
    """The handler of an own reaction; a parked fact is kept as its place in the own log."""

    def read(body: bytes) -> Recorded:
        position, index = body.decode().split(":")
        (commit,) = platform.store.after(int(position) - 1, 1)
        return platform.registry.followed(commit, platform.keyring)[int(index)]

    def carried(fact: Recorded) -> None:
        if isinstance(fact.event, Exception):
            raise fact.event
        carry_out(reaction.name, reaction.react, fact, platform.application, platform.timers.set)

    return Handler(reaction.name, read, reaction=carried)


def place_of(fact: Recorded) -> bytes:
    """What is parked of an own fact: where to find it again."""
    return f"{fact.position}:{fact.index}".encode()


def _wanted(subscription: Subscription, platform: Platform) -> Callable[[Recorded], None]:
    react = subscription.react
    assert react is not None, f"{subscription.handler} has neither a read model nor a reaction"

    def carried(fact: Recorded) -> None:
        fact = typed(fact, subscription.models)
        # A type this service does not know of another's stream only moves the cursor.
        if fact.event is not None:
            carry_out(subscription.handler, react, fact, platform.application, platform.timers.set)

    return carried


def _fold_into(
    subscription: Subscription, shelf: Shelf, generation: str
) -> Callable[[Sequence[Recorded], ClientSession], None]:
    def effects(facts: Sequence[Recorded], session: ClientSession) -> None:
        told = [fact for fact in (typed(fact, subscription.models) for fact in facts) if fact.event is not None]
        folding = Folding(shelf.db[generation], session)
        folding.preload({id for fact in told for id in shelf.model.owned_keys(fact)})
        for fact in told:
            folding.fold(shelf.model, fact)
        folding.write(folding.changes())

    return effects
