"""Trouble that a person has to know about, for the keepers or, where there is none, for the channel."""

from bot.blocks.kit import Block, actions, button, section, small, small_plain
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post
from bot.errors import sentence

_UNDERSTOOD = 300
_REASON = 60


def not_understood(inbox_id: int, *, understood: str | None, ask_keeper: bool = False) -> Post:
    """A webhook could not be read. `understood` is what could be: its kind and lead, never its content.

    `ask_keeper`: nobody is set to be told, so whoever reads it in the channel is asked.
    """
    told = "Thumbtack sent something that Corkboard could not read. It is kept."
    known = visible(understood)
    blocks = [
        section(f":rotating_light: {told}"),
        *([small_plain(f"Known about it: {shorten(known, _UNDERSTOOD)}")] if known else []),
        small(f"After an update, run `corkboard inbox retry {inbox_id}`. Until then look in Thumbtack."),
        *(offer_to_keep(inbox_id) if ask_keeper else []),
    ]
    return Post(text=told, blocks=blocks)


WHAT = {
    "post_lead": "A lead's card",
    "post_details": "The rest of a lead's description",
    "post_photos": "Photos",
    "post_charge": "The cost of a lead",
    "post_status": "The state of a lead at Thumbtack",
    "post_message": "A message of the customer's",
    "post_review": "A review",
    "send_reply": "A reply to the customer",
    "first_reply": "The automatic first reply",
    "remind": "A reminder",
    "erase": "An erasure",
    "set_targeting": "A change of targeting",
    "change_phones": "A change of phone numbers",
}
"""What a kind of delivery says, where people would miss it."""


def dead_delivery(outbox_id: int, *, kind: str, reason: str, ask_keeper: bool = False) -> Post:
    """Something could not be said and is no longer tried; `kind` as in the outbox. In its lead's thread, or to the keepers."""
    told = f"{WHAT.get(kind, 'Something')} got stuck and is not tried any more. {sentence(reason)}"
    blocks = [
        section(f":rotating_light: {told}"),
        small(f"Reason: {escape(shorten(reason, _REASON))}. Until it is mended, look in Thumbtack."),
        small(f"Then a keeper lets it go again with `corkboard outbox retry {outbox_id}`."),
        *(offer_to_keep(outbox_id) if ask_keeper else []),
    ]
    return Post(text=escape(told), blocks=blocks)


def held(channel_id: str, *, reason: str) -> Post:
    """Nothing can be posted to a channel until somebody mends it; for the keepers, since the channel cannot be told."""
    told = f"Nothing can be posted for leads. {sentence(reason)}"
    blocks = [
        section(f":rotating_light: {told}"),
        small(f"The channel is <#{channel_id}>. What waits is posted by itself once that is mended."),
    ]
    return Post(text=escape(told), blocks=blocks)


def no_place() -> Post:
    """There is a lead for which no channel is set; others that come meanwhile wait with it and are not told singly."""
    told = "A new lead waits: no channel is set for it."
    todo = "Choose one: type /thumbtack settings. It is posted by itself then, like those that come meanwhile."
    return Post(text=escape(told), blocks=[section(f":rotating_light: {told}"), small(todo)])


def offer_to_keep(row_id: int) -> list[Block]:
    """The offer to a workspace admin where nobody is told about trouble yet."""
    told = "Nobody is set to be told about trouble. A workspace admin can take this on:"
    return [small(told), actions([button("keeper_me", "Set me as keeper", row_id)])]
