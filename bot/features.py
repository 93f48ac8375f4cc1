"""What a connection with Thumbtack is good for: each feature with the scopes that it needs at either API, as a table."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from storage.models import Generation

LEADS = "leads"
MESSAGES = "messages"
TARGETING = "targeting"
PHONES = "phone numbers"

SCOPES = (
    "offline_access",
    "supply::businesses.list",
    "supply::businesses/associate-phone-numbers.read",
    "supply::businesses/associate-phone-numbers.write",
    "supply::messages.read",
    "supply::messages.write",
    "supply::negotiations.read",
    "supply::users.read",
    "supply::webhooks.read",
    "supply::webhooks.write",
)
"""All that the v4 consent asks for: every scope of the pro side that some feature uses."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """Something that people do here, and what a pro must have granted for it; an API that is not named cannot do it."""

    name: str
    scopes: Mapping[Generation, tuple[str, ...]]


FEATURES = (
    Feature(name=LEADS, scopes={Generation.V4: ("supply::negotiations.read",)}),
    Feature(
        name=MESSAGES,
        scopes={Generation.LEGACY: ("messages",), Generation.V4: ("supply::messages.write",)},
    ),
    Feature(name=TARGETING, scopes={Generation.LEGACY: ("targeting",)}),
    Feature(
        name=PHONES,
        scopes={
            Generation.V4: (
                "supply::businesses/associate-phone-numbers.read",
                "supply::businesses/associate-phone-numbers.write",
            )
        },
    ),
)
"""In the order in which people read them. The v4 scopes are from Thumbtack's authentication page and its OpenAPI spec."""


WEBHOOKS = Feature(name="webhooks", scopes={Generation.V4: ("supply::webhooks.read", "supply::webhooks.write")})
"""How leads, messages and reviews come in: nothing that people do, so it is told only where it is missing."""


def of(generation: str) -> list[Feature]:
    """The features that an API has at all."""
    return [feature for feature in FEATURES if generation in feature.scopes]


def works(generation: str, scopes: Collection[str]) -> list[str]:
    """The names of the features that these scopes are enough for."""
    return [feature.name for feature in of(generation) if not missing(feature, generation, scopes)]


def lacks(generation: str, scopes: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The features that this API has but these scopes are not enough for, each with the scopes that it lacks."""
    found = {feature.name: missing(feature, generation, scopes) for feature in of(generation)}
    return {name: without for name, without in found.items() if without}


def missing(feature: Feature, generation: str, scopes: Collection[str]) -> tuple[str, ...]:
    """The scopes of a feature that were not granted."""
    needed = feature.scopes.get(Generation(generation), ())
    return tuple(scope for scope in needed if scope not in scopes)


def of_webhooks() -> tuple[str, ...]:
    """The scopes that making and mending webhooks needs."""
    return WEBHOOKS.scopes[Generation.V4]


def lacks_webhooks(scopes: Collection[str]) -> tuple[str, ...]:
    """Those that were not granted; none where Thumbtack did not say what was, for then asking tells."""
    return missing(WEBHOOKS, Generation.V4, scopes) if scopes else ()
