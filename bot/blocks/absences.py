"""What people are told when the program was away, or when nothing comes for a business any more."""

from datetime import datetime

from bot.blocks.kit import section, small
from bot.blocks.mrkdwn import date
from bot.blocks.posts import Post


def was_away(*, since: datetime, until: datetime) -> Post:
    """For everybody in a channel with leads. Thumbtack documents neither how often nor for how long it repeats a webhook."""
    told = f"Corkboard was away from {date(since)} to {date(until)}."
    blocks = [
        section(f":zzz: {told} Messages in threads are read again now; look in Thumbtack for what came meanwhile."),
        small("Replies that were written long ago ask their writers first. What Thumbtack sends again comes here too."),
    ]
    return Post(text="Corkboard was away. Look in Thumbtack for what came meanwhile.", blocks=blocks)
