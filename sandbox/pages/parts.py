"""The parts of the page as a table: what each shows of the world outside, and what a person can do there."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.pages import channel_deeds, slack_deeds, slack_view, thumbtack_deeds, thumbtack_view, trouble
from sandbox.pages.deeds import Deed, Json

if TYPE_CHECKING:
    from sandbox.outside import Outside

VIEWS: "Mapping[str, Callable[[Outside, str], Json]]" = {
    "slack": slack_view.view,
    "thumbtack": thumbtack_view.view,
    "trouble": trouble.view,
}


def state(world: "Outside", as_user: str) -> Json:
    """All that the page shows to somebody who acts as `as_user`; LookupError for nobody."""
    return {name: view(world, as_user) for name, view in VIEWS.items()}


def deeds(world: "Outside") -> Mapping[str, Deed]:
    """All that can be done on the page, by name."""
    return {
        **slack_deeds.deeds(world),
        **channel_deeds.deeds(world),
        **thumbtack_deeds.deeds(world),
        **trouble.deeds(world),
    }
