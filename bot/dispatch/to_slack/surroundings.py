"""What the keepers are told about closed channels, the app cut off, and people who left."""

from datetime import datetime

from bot import lifecycle
from bot.blocks import surroundings as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import At
from storage import businesses, channels, leads, routing


async def channel_closed(at: At, *, ask_keeper: bool) -> Post | None:
    """{channel, reason}: nothing can be posted there; nothing is told once that is mended."""
    payload = at.entry.payload
    known = await channels.find(at.tx, payload["channel"])
    if known is None or known.closed is None:
        return None
    owners = await routing.owners_of(at.tx, payload["channel"])
    matter = routing.Matter(business=owners[0] if owners else None)
    place = await routing.place_for(at.tx, matter, default=at.services.settings.slack_leads_channel)
    return blocks.channel_closed(
        payload["channel"],
        reason=payload["reason"],
        goes=place.channel if place.channel != payload["channel"] else None,
        row_id=leads.known(at.entry.id),
        ask_keeper=ask_keeper,
    )


async def cut_off(at: At, *, ask_keeper: bool) -> Post | None:
    """{reason, at}: Slack had taken our access away, and gave it back."""
    payload = at.entry.payload
    when = datetime.fromisoformat(payload["at"])
    return blocks.cut_off(payload["reason"], at=when, row_id=leads.known(at.entry.id), ask_keeper=ask_keeper)


async def not_heard(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{}: Socket Mode gives no connection; nothing is told once it does."""
    return None if await lifecycle.is_heard(at.tx, now=at.now) else blocks.not_heard()


async def person_left(at: At, *, ask_keeper: bool) -> Post | None:
    """{user, leads, businesses}: what was theirs is nobody's now."""
    payload = at.entry.payload
    found = [await businesses.get(at.tx, business_id) for business_id in payload["businesses"]]
    return blocks.person_left(
        payload["user"],
        leads=len(payload["leads"]),
        businesses=[one.name for one in found if one is not None],
        row_id=leads.known(at.entry.id),
        ask_keeper=ask_keeper,
    )
