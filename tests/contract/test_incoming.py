"""What a service reads of another's facts is what the other says: every tolerant reader against every example."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.kernel.application import Subscription
from services.kernel.message import incoming
from tests.contract.golden_events import Golden, definitions, kept, registries

DEFINITIONS = definitions()
REGISTRIES = registries()


def subscriptions() -> list[Subscription]:
    return [subscription for definition in DEFINITIONS.values() for subscription in definition.subscriptions]


def followed(subscription: Subscription) -> list[str]:
    categories = REGISTRIES[subscription.source].categories
    return [name for name in categories if {"*", name} & set(subscription.categories)]


def deliveries() -> Iterator[tuple[Subscription, Golden]]:
    for subscription in subscriptions():
        for golden in kept():
            if golden.service == subscription.source and golden.category in followed(subscription):
                yield subscription, golden


@pytest.mark.parametrize(
    ("subscription", "golden"), list(deliveries()), ids=lambda one: getattr(one, "handler", getattr(one, "file", ""))
)
def test_every_example_of_the_producer_is_read(subscription: Subscription, golden: Golden) -> None:
    fact = incoming(golden.published, subscription.models)
    assert (fact.service, fact.category, fact.type, fact.v) == (
        golden.service,
        golden.category,
        golden.name,
        golden.version,
    )
    model = subscription.models.get(golden.name) or subscription.models.get("*")
    assert (fact.event is None) == (model is None)


@pytest.mark.parametrize("subscription", subscriptions(), ids=lambda s: s.handler)
def test_what_is_followed_exists_at_the_producer(subscription: Subscription) -> None:
    registry = REGISTRIES[subscription.source]
    assert set(subscription.categories) - {"*"} <= registry.categories.keys()
    told = {name: (category, event) for category, name, event in registry.types() if category in followed(subscription)}
    for name, model in subscription.models.items():
        if name == "*":
            continue
        assert name in told, f"{subscription.source} never says {name} in {subscription.categories}"
        category, event = told[name]
        published = event.model_fields.keys() - registry.classified(category, name)
        unsaid = model.model_fields.keys() - published
        assert not unsaid, f"{name} is published without {sorted(unsaid)}"


def test_names_are_told_apart_by_category_where_both_are_followed() -> None:
    for subscription in subscriptions():
        names = [
            name
            for category, name, _ in REGISTRIES[subscription.source].types()
            if category in followed(subscription) and name in subscription.models
        ]
        assert len(names) == len(set(names)), f"{subscription.handler} cannot tell events of one name apart"
