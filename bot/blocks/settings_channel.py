"""What goes out from a channel: the window of that part of the settings, and what its channel is told."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.blocks.kit import Block, Element, plain, section, small
from bot.blocks.mrkdwn import mention
from bot.blocks.posts import Post
from bot.blocks.reading import filled
from bot.settings import ReplyMode
from storage.models import ContactData

CHANNEL = "channel_chosen"
"""The field that says which channel it is about; also its block_id."""

MODE, SIGNATURE, CONTACT = "reply_mode", "signature", "contact_data"
"""The other fields. Their block_ids end with the channel, so that another one's answers never stand in them."""

_ON, _OFF = "on", "off"
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,20}")

_MODES = {
    str(ReplyMode.REPLIES): (
        "Replies: what people write in a lead's thread goes out",
        "Messages that start with note: stay inside.",
    ),
    str(ReplyMode.QUIET): (
        "Quiet: what people write in a lead's thread stays inside",
        "Only the Reply button, and messages that start with send:, go out.",
    ),
}
_SIGNATURES = {
    _OFF: ("Nothing: the customer gets what was written", None),
    _ON: ("The writer's first name, as in “– Ana”", "It comes from their profile in Slack."),
}
_CONTACTS = {
    str(ContactData.ASK): ("Ask the writer first", None),
    str(ContactData.BLOCK): ("Do not send the reply", None),
    str(ContactData.OFF): ("Send it without asking", None),
}
_SAVED = {
    str(ReplyMode.REPLIES): "What people write in a lead's thread goes to the customer.",
    str(ReplyMode.QUIET): "Only the Reply button, and messages that start with `send:`, go to the customer.",
    _ON: "The writer's first name goes below each reply.",
    _OFF: "Nothing is added to a reply.",
}
_SAVED_CONTACTS = {
    str(ContactData.ASK): "Before a phone number or an e-mail address goes out, its writer is asked.",
    str(ContactData.BLOCK): "Phone numbers and e-mail addresses do not go out.",
    str(ContactData.OFF): "Phone numbers and e-mail addresses go out like everything else.",
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What goes out from a channel, as the window says it: a ReplyMode, "on" or "off", a ContactData."""

    reply_mode: str
    signature: str
    contact_data: str

    @classmethod
    def of(cls, *, quiet: bool, signature: bool, contact_data: ContactData) -> "Choice":
        """What holds."""
        mode = ReplyMode.QUIET if quiet else ReplyMode.REPLIES
        return cls(reply_mode=str(mode), signature=_ON if signature else _OFF, contact_data=str(contact_data))

    @property
    def is_quiet(self) -> bool:
        """Whether only what is meant to goes out."""
        return self.reply_mode == ReplyMode.QUIET

    @property
    def is_signed(self) -> bool:
        """Whether the writer's name goes below a reply."""
        return self.signature == _ON


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A window that was filled in. `channel`: which one is chosen now; `shown_of`: whose answers the window showed."""

    channel: str | None
    shown_of: str | None
    shown: Choice | None
    chosen: Choice | None


def channel_window(channel: str | None, now: Choice | None, *, again: bool = False) -> dict[str, Any]:
    """The window. Without a channel, which then is to be chosen first, it has no more fields.

    `again`: it was saved before the channel's own answers stood in it.
    """
    if channel is None or now is None:
        return _window([_channel_field(None)]) | {"submit": plain("Next")}
    blocks = [
        _channel_field(channel),
        *([small(":point_down: These are this channel's settings. Look at them, then save.")] if again else []),
        _radio(f"{MODE}:{channel}", MODE, "What goes to the customer", options=_MODES, chosen=now.reply_mode),
        _radio(f"{SIGNATURE}:{channel}", SIGNATURE, "Below a reply", options=_SIGNATURES, chosen=now.signature),
        _radio(
            f"{CONTACT}:{channel}",
            CONTACT,
            "A reply with a phone number or an e-mail address",
            options=_CONTACTS,
            chosen=now.contact_data,
        ),
        small("Thumbtack discourages phone numbers and e-mail addresses in messages."),
    ]
    shown = {"channel": channel, MODE: now.reply_mode, SIGNATURE: now.signature, CONTACT: now.contact_data}
    return _window(blocks) | {"submit": plain("Save"), "private_metadata": json.dumps(shown)}


def saved_window(channel: str, now: Choice, *, changed: bool, cards: int) -> dict[str, Any]:
    """What takes the window's place once it was submitted. `cards`: how many say the mode anew."""
    told = "Saved" if changed else "Nothing was changed"
    lines = (_SAVED[now.reply_mode], _SAVED[now.signature], _SAVED_CONTACTS[now.contact_data])
    counted = "1 lead's card is" if cards == 1 else f"{cards} leads' cards are"
    return _window(
        [
            section(f":white_check_mark: {told} for <#{channel}>.\n" + "\n".join(f"• {line}" for line in lines)),
            *([small(f"{counted} brought up to date.")] if cards else []),
        ]
    )


def mode_changed(user: str, *, quiet: bool) -> Post:
    """For everybody in a channel: what becomes of what they write in its leads' threads changed."""
    if quiet:
        text = "This channel is quiet from now on: what you write in a lead's thread stays inside."
        how = "To answer a customer, use the Reply button, or start your message with `send:`."
        return _told(":mute:", text, how, user)
    text = "Replies are on in this channel from now on: what you write in a lead's thread goes to the customer."
    return _told(":loud_sound:", text, "Start a message with `note:` to keep it inside.", user)


def channel_of(picked: object) -> str | None:
    """Which channel the field says, whatever is in it."""
    channel = picked.get("selected_conversation") if isinstance(picked, Mapping) else None
    return channel if is_channel(channel) else None


def is_channel(found: object) -> bool:
    """Whether this is a channel's id, and not that of a conversation between people."""
    return isinstance(found, str) and _CHANNEL_ID.fullmatch(found) is not None


def submitted(view: Mapping[str, Any]) -> Submitted:
    """What a submitted window says, whatever is in it."""
    shown = _shown(view)
    channel = shown.get("channel")
    shown_of = channel if is_channel(channel) else None
    state = view.get("state") or {}
    picked = ((state.get("values") or {}).get(CHANNEL) or {}).get(CHANNEL)
    answers = {name: filled(view, f"{name}:{shown_of}", name) for name in (MODE, SIGNATURE, CONTACT)}
    return Submitted(channel=channel_of(picked), shown_of=shown_of, shown=_choice(shown), chosen=_choice(answers))


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(str(view.get("private_metadata") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _choice(found: Mapping[str, Any]) -> Choice | None:
    """None where an answer is missing, or none that there is."""
    mode, signature, contact = found.get(MODE), found.get(SIGNATURE), found.get(CONTACT)
    if mode not in _MODES or signature not in _SIGNATURES or contact not in _CONTACTS:
        return None
    return Choice(reply_mode=str(mode), signature=str(signature), contact_data=str(contact))


def _told(icon: str, text: str, how: str, user: str) -> Post:
    return Post(text=text, blocks=[section(f"{icon} *{text}* {how}"), small(f"Changed by {mention([user])}.")])


def _channel_field(channel: str | None) -> Block:
    element: Element = {
        "type": "conversations_select",
        "action_id": CHANNEL,
        "placeholder": plain("Choose a channel"),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    element |= {"initial_conversation": channel} if channel else {}
    return {
        "type": "input",
        "block_id": CHANNEL,
        "label": plain("Channel"),
        "element": element,
        "dispatch_action": True,
    }


def _radio(
    block_id: str, action_id: str, label: str, *, options: Mapping[str, tuple[str, str | None]], chosen: str
) -> Block:
    made = {
        value: {"text": plain(text), "value": value} | ({"description": plain(beside)} if beside else {})
        for value, (text, beside) in options.items()
    }
    element = {
        "type": "radio_buttons",
        "action_id": action_id,
        "options": list(made.values()),
        "initial_option": made[chosen],
    }
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}


def _window(blocks: list[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "settings_channel",
        "title": plain("What goes out"),
        "close": plain("Close"),
        "blocks": blocks,
    }
