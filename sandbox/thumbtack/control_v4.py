"""What the remote control plays as v4 tells it, each from the JSON object that curl sent."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.thumbtack.subscriptions import Subscription

if TYPE_CHECKING:
    from sandbox.thumbtack.stand_in import ThumbtackStandIn  # it imports us

Asked = dict[str, Any]
Play = Callable[[Asked], Awaitable[httpx.Response | None]]


class Mistake(Exception):  # noqa: N818  # not an error of the program: what curl sent cannot be played
    """What is wrong with a request, in words."""


_OURS = ("lead_id", "staging", "manner")
"""What says how to play; anything else is a field of Thumbtack's."""


def plays(stand_in: "ThumbtackStandIn") -> Mapping[str, Play]:
    """What can be played, by its path. Each raises Mistake or LookupError for what cannot."""
    player = _Player(stand_in)
    return {
        "/v4/request": player.request,
        "/v4/lead": player.lead,
        "/v4/message": player.message,
        "/v4/review": player.review,
        "/v4/change": player.change,
        "/v4/event": player.event,
    }


class _Player:
    def __init__(self, stand_in: "ThumbtackStandIn") -> None:
        self._stand_in = stand_in

    async def request(self, asked: Asked) -> None:
        self._stand_in.v4_request(**_fields(asked))

    async def lead(self, asked: Asked) -> httpx.Response:
        lead_id = self._lead_of(asked) if asked.get("lead_id") else None
        return await self._stand_in.v4_lead(lead_id, webhook=self._webhook(asked), **_fields(asked))

    async def message(self, asked: Asked) -> httpx.Response:
        text = str(asked.get("text", "Are you still available?"))
        sender = asked.get("sender", "Customer")
        if sender not in ("Customer", "Business"):
            raise Mistake('The sender is "Customer" or "Business".')
        more = _fields(asked, "text", "sender")
        lead_id = str(asked.get("lead_id") or self._lead_of(asked))
        return await self._stand_in.v4_message(lead_id, text, sender=sender, webhook=self._webhook(asked), **more)

    async def review(self, asked: Asked) -> httpx.Response:
        about_none = "lead_id" in asked and asked["lead_id"] is None
        rating, text = asked.get("rating", 5), str(asked.get("text", "Great work, would hire again."))
        return await self._stand_in.v4_review(
            None if about_none else self._lead_of(asked),
            rating,
            text,
            webhook=self._webhook(asked),
            **_fields(asked, "rating", "text"),
        )

    async def change(self, asked: Asked) -> None:
        self._stand_in.v4_change(self._lead_of(asked), **_fields(asked))

    async def event(self, asked: Asked) -> httpx.Response:
        event_type, data = asked.get("eventType"), asked.get("data", {})
        if not isinstance(event_type, str) or not isinstance(data, dict):
            raise Mistake("An event needs an eventType, and data that is an object.")
        return await self._stand_in.v4_event(event_type, data, webhook=self._webhook(asked))

    def _lead_of(self, asked: Asked) -> str:
        lead_id = str(asked.get("lead_id") or self._stand_in.last_lead_id or "")
        if not self._stand_in.is_v4(lead_id):
            raise Mistake("That is no lead of v4: POST one to /control/v4/lead first, or name its lead_id.")
        return lead_id

    def _webhook(self, asked: Asked) -> Subscription | None:
        """The pro's own webhook where the order says how it is called; else whichever wants it."""
        manner, staging = asked.get("manner", "basic"), asked.get("staging") is True
        if manner not in ("basic", "bearer", "header", "none"):
            raise Mistake("The manner is basic, bearer, header or none.")
        if not staging and "manner" not in asked:
            return None
        return self._stand_in.v4.self_serve(manner, staging=staging)


def _fields(asked: Asked, *more_of_ours: str) -> Asked:
    return {name: value for name, value in asked.items() if name not in (*_OURS, *more_of_ours)}
