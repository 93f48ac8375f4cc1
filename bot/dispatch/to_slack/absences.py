"""What is told of absences: the program's own, and a business's from which nothing is heard."""

from datetime import datetime, timedelta

from bot.blocks import absences as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import At
from storage import businesses, channels, hearing


async def was_away(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{since, until, channel, on_and_off}: nobody was there (for long); nothing where the channel was closed to us meanwhile."""
    payload = at.entry.payload
    if await channels.is_closed(at.tx, payload["channel"]):
        return None
    since, until = datetime.fromisoformat(payload["since"]), datetime.fromisoformat(payload["until"])
    return blocks.was_away(since=since, until=until, on_and_off=payload.get("on_and_off", False))


async def silent(at: At, *, ask_keeper: bool) -> Post | None:
    """{business_id, since, usual, longest (seconds)}: nothing comes for it; nothing is told once something did."""
    payload, business_id = at.entry.payload, int(at.entry.payload["business_id"])
    business, since = await businesses.get(at.tx, business_id), datetime.fromisoformat(payload["since"])
    heard = await hearing.last_heard(at.tx, [business_id])
    if business is None or heard.get(business_id, since) > since:
        return None
    return blocks.silent(
        business.name,
        since=since,
        usual=timedelta(seconds=payload["usual"]),
        longest=timedelta(seconds=payload["longest"]),
        row_id=business_id,
        ask_keeper=ask_keeper,
    )
