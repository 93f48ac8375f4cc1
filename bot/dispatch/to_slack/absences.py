"""What is told of absences: the program's own, and a business's from which nothing is heard."""

from datetime import datetime

from bot.blocks import absences as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import At
from storage import channels


async def was_away(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """{since, until, channel}: nobody was there; nothing where the channel was closed to us meanwhile."""
    payload = at.entry.payload
    if await channels.is_closed(at.tx, payload["channel"]):
        return None
    return blocks.was_away(
        since=datetime.fromisoformat(payload["since"]), until=datetime.fromisoformat(payload["until"])
    )
