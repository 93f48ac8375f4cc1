"""The offer to post leads in a channel that the bot was invited to."""

from bot.blocks import offers as blocks
from bot.dispatch.plans import At, Prepared
from bot.dispatch.to_slack.posting import posting
from storage import channels, leads


async def offer_channel(at: At) -> Prepared:
    """OFFER_CHANNEL {event_ts, by}: one message; none where that was decided meanwhile, or the bot was removed again."""
    channel = at.entry.channel
    known = await channels.find(at.tx, channel)
    if channel is None or known is None or known.closed is not None:
        return None
    return posting(at, blocks.offer(leads.known(known.id), by=at.entry.payload.get("by")), channel=channel)
