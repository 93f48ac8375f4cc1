"""What people are told when the program was away, or when nothing comes for a business any more."""

from datetime import datetime, timedelta

from bot.blocks.kit import icon, line, moment, rich, section, small, words
from bot.blocks.mrkdwn import date, shorten, visible
from bot.blocks.notices import offer_to_keep
from bot.blocks.posts import Post

_LONGEST_NAME = 60


def was_away(*, since: datetime, until: datetime, on_and_off: bool = False) -> Post:
    """For everybody in a channel with leads. Thumbtack documents neither how often nor for how long it repeats a webhook.

    `on_and_off`: it was there now and then, and never for long.
    """
    was = "was away again and again" if on_and_off else "was away"
    told = f"Corkboard {was} from {date(since)} to {date(until)}."
    blocks = [
        section(f":zzz: {told} Messages in threads are read again now; look in Thumbtack for what came meanwhile."),
        small("Replies that were written long ago ask their writers first. What Thumbtack sends again comes here too."),
    ]
    return Post(text="Corkboard was away. Look in Thumbtack for what came meanwhile.", blocks=blocks)


def silent(
    name: str | None, *, since: datetime, usual: timedelta, longest: timedelta, row_id: int, ask_keeper: bool = False
) -> Post:
    """For the keepers: nothing comes for a business, far beyond its habit. `name`: as Thumbtack names it."""
    whose = words(shorten(visible(name) or "a business", _LONGEST_NAME), bold=True)
    told = "Nothing comes from Thumbtack any more."
    habit = f"Its leads are usually less than {_length(usual)} apart; the longest pause lately was {_length(longest)}."
    todo = (
        "Look in Thumbtack: are there leads that are not here? Then press *Repair* in `/thumbtack status`, or compare "
    )
    blocks = [
        rich(
            line(
                icon("mute"),
                words(" Nothing came from Thumbtack for "),
                whose,
                words(" since "),
                moment(since),
                words("."),
            )
        ),
        small(f"{habit} {todo}the webhook there with `corkboard check`."),
        *(offer_to_keep(row_id) if ask_keeper else []),
    ]
    return Post(text=told, blocks=blocks)


def _length(time: timedelta) -> str:
    """Rounded up: hours up to two days, then days."""
    hours = -(time // -timedelta(hours=1))
    if hours <= 1:
        return "an hour"
    return f"{hours} hours" if hours <= 48 else f"{-(time // -timedelta(days=1))} days"
