"""What goes out from a channel, as samples to look at."""

from typing import Any

from support.samples import a_lead
from support.status_samples import OLGA

from bot.blocks import contact_data, leads, modals
from bot.blocks import settings_channel as blocks
from bot.blocks.leads import RepliesGo
from bot.blocks.posts import Post
from bot.blocks.settings_channel import Choice
from storage.models import ContactData

CHANNEL = "C012AB3CD"
DEFAULT = Choice.of(quiet=False, signature=False, contact_data=ContactData.ASK)
STRICT = Choice.of(quiet=True, signature=True, contact_data=ContactData.BLOCK)
OPEN = Choice.of(quiet=False, signature=False, contact_data=ContactData.OFF)

_REPLY = modals.reply_modal(
    7, headline=leads.headline(a_lead()), customer_name="John Davis", mode=RepliesGo.OUT, signed=True
)

POSTS: dict[str, list[Post]] = {
    "channel_mode_changed": [blocks.mode_changed(OLGA, quiet=True), blocks.mode_changed(OLGA, quiet=False)],
    "contact_not_asked_again": [contact_data.not_asked_again(42), contact_data.asked_again()],
}
WINDOWS: dict[str, dict[str, Any]] = {
    "modal_channel": blocks.channel_window(CHANNEL, DEFAULT),
    "modal_channel_strict": blocks.channel_window(CHANNEL, STRICT, again=True),
    "modal_channel_none": blocks.channel_window(None, None),
    "modal_channel_saved": blocks.saved_window(CHANNEL, STRICT, changed=True, cards=12),
    "modal_channel_same": blocks.saved_window(CHANNEL, OPEN, changed=False, cards=0),
    "modal_signed": _REPLY,
    "modal_contact_warned": contact_data.warned(_REPLY, "Call us at 212-555-0123."),
}
