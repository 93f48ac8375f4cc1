"""What Thumbtack told that this program does not know, as one honest line."""

from bot.blocks import events as blocks
from bot.dispatch.plans import At, Prepared
from bot.dispatch.to_slack.leads import NO_THREAD, lead_of, view
from bot.dispatch.to_slack.posting import posting
from storage import threads


async def post_event(at: At) -> Prepared:
    """POST_EVENT {event_type}: one line in the thread of the lead that the event names."""
    thread = await threads.of_lead(at.tx, at.entry.lead_id)
    if thread is None:
        return NO_THREAD
    shown = await view(at, await lead_of(at))
    post = blocks.event_line(at.entry.payload["event_type"], lead_url=shown.lead_url)
    return posting(at, post, channel=thread.channel, thread=thread)
