"""What the team did with a lead, in its thread: to whom it was handed over, and what became of it."""

from collections.abc import Callable, Mapping

from bot.blocks import working as blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import At, Prepared
from bot.dispatch.to_slack.leads import NO_THREAD
from bot.dispatch.to_slack.posting import FALLBACKS, posting
from storage import threads

LINES: Mapping[str, Callable[..., Post]] = {
    "handed_over": blocks.handed_over,
    "released": blocks.released,
    "elsewhere": blocks.elsewhere,
    "won": blocks.won,
    "lost": blocks.lost,
    "reopened": blocks.reopened,
}
"""By what was done; the rest of the payload is what the line tells."""


async def post_worked(at: At) -> Prepared:
    """POST_WORKED {what, by, …}: one line that tells what somebody did."""
    line = LINES.get(at.entry.payload["what"])
    if line is None:
        return None  # a newer program's
    thread = await threads.of_lead(at.tx, at.entry.lead_id)
    if thread is None:
        return NO_THREAD
    said = {name: value for name, value in at.entry.payload.items() if name != "what" and name not in FALLBACKS}
    return posting(at, line(**said), channel=thread.channel, thread=thread)
