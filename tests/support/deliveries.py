"""What tests of the outbox ask of a running office."""

from typing import Any

from support.office import CHANNEL, Office

from storage.models import Outbox, WorkState


async def unsettled(place: Office) -> list[Outbox]:
    """What is still to be said."""
    return [one for one in await place.rows(Outbox) if one.settled_at is None and one.state != WorkState.PARKED]


async def all_said(place: Office, *, rounds: int = 30, **pause: float) -> None:
    """Let time pass until nothing waits any more; fails where something waits for ever."""
    for _ in range(rounds):
        await place.at_rest()
        if not await unsettled(place):
            return
        await place.advance(**(pause or {"minutes": 5}))
    waiting = [(one.kind, one.state, one.reason, one.attempt) for one in await unsettled(place)]
    raise AssertionError(f"this waits for ever: {waiting}")


def posted(place: Office) -> list[dict[str, Any]]:
    """Everything the bot said in the leads' channel, threads too, oldest first."""
    channel = place.slack.workspace.channel(CHANNEL)
    said = [one for one in channel.messages.values() if one.get("bot_id") == place.slack.workspace.bot_id]
    return sorted((place.slack.message(CHANNEL, one["ts"]) for one in said), key=lambda one: float(one["ts"]))


def delivery_ids(place: Office) -> list[str]:
    """The delivery ids in what the bot said in the leads' channel, oldest first."""
    return [one["metadata"]["event_payload"]["delivery_id"] for one in posted(place)]
