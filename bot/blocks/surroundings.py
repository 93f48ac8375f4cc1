"""What the keepers are told about what Corkboard works in: closed channels, the app cut off, people who left."""

from collections.abc import Sequence
from datetime import datetime

from bot.blocks.kit import section, small
from bot.blocks.mrkdwn import date, escape, mention, shorten, visible
from bot.blocks.notices import offer_to_keep
from bot.blocks.posts import Post

_NAMED = 5

_WHY = {
    "is_archived": "It was archived. Unarchive it, or choose another in `/thumbtack settings`.",
    "not_in_channel": "Corkboard was removed from it. Type `/invite @Corkboard` there, or choose another channel in "
    "`/thumbtack settings`.",
    "channel_not_found": "It was deleted. Choose another in `/thumbtack settings`.",
}
_GONE = "Leads that stood there get a new card once there is news of them."


def channel_closed(channel_id: str, *, reason: str, goes: str | None, row_id: int, ask_keeper: bool = False) -> Post:
    """Nothing can be posted to a channel other than the one for all leads. `goes`: where new leads go meanwhile."""
    why = _WHY.get(reason, "Slack does not let Corkboard post there. Ask an admin what is restricted.")
    told = "A channel takes no more leads."
    new = f"New leads go to <#{goes}>." if goes else "New leads for it wait: no other channel is set."
    old = _GONE if reason == "channel_not_found" else "What belongs in its threads waits until this is mended."
    blocks = [
        section(f":rotating_light: <#{channel_id}> takes no more leads. {why}"),
        small(f"{new} {old}"),
        *(offer_to_keep(row_id) if ask_keeper else []),
    ]
    return Post(text=told, blocks=blocks)


def cut_off(reason: str, *, at: datetime, row_id: int, ask_keeper: bool = False) -> Post:
    """Slack had taken our access away, which can be told only now that it is back."""
    revoked = "The app was uninstalled from Slack or its token revoked"  # Slack says the latter first, of both
    what = "The app was uninstalled from Slack" if reason == "app_uninstalled" else revoked
    told = f"{what}. Corkboard is back now."
    blocks = [
        section(f":electric_plug: {what} on {date(at)}. Corkboard is back now."),
        small("What came meanwhile is posted now, in order. Replies that waited too long ask their writers first."),
        *(offer_to_keep(row_id) if ask_keeper else []),
    ]
    return Post(text=told, blocks=blocks)


def not_heard() -> Post:
    """Over Socket Mode Slack gives no connection: we can speak, and hear nothing. So there is nothing to press either."""
    told = "Corkboard does not hear Slack just now."
    later = "A message without a mark is read as soon as Slack is heard again."
    at_once = "Where it cannot wait, delete it, then answer in Thumbtack."
    blocks = [
        section(f":ear: {told} Replies, buttons and commands do not arrive. What customers write is still posted."),
        small(f"{later} {at_once} On the server, `corkboard check` says why."),
    ]
    return Post(text=told, blocks=blocks)


def person_left(
    user: str, *, leads: int, businesses: Sequence[str | None], row_id: int, ask_keeper: bool = False
) -> Post:
    """Somebody was deactivated in Slack: what was theirs and is nobody's now. `businesses`: where they were on duty."""
    who = mention([user]) or "Somebody"
    lines = [f"{leads} of their leads {'is' if leads == 1 else 'are'} free to be taken."] if leads else []
    if businesses:
        named = ", ".join(escape(shorten(visible(name) or "a business", 60)) for name in businesses[:_NAMED])
        more = f" and {len(businesses) - _NAMED} more" if len(businesses) > _NAMED else ""
        lines.append(f"They are no longer on duty for {named}{more}.")
    told = "Somebody left Slack who worked leads."
    blocks = [
        section(f":wave: {who} was deactivated in Slack. {' '.join(lines)}"),
        *(offer_to_keep(row_id) if ask_keeper else []),
    ]
    return Post(text=told, blocks=blocks)
