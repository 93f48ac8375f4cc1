"""What people read about their own replies: waiting, not delivered, unknown, kept inside, and the choices they have.

Every `value` of a button is our own message id, and sentences are those of `bot.errors`. `said` is the reply it is about,
as Slack's text; only its beginning is shown, because threads are long. `writer` is a Slack user id.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from bot.blocks.kit import LONGEST_TEXT, Block, Element, actions, button, copyable, rich, section, small_plain
from bot.blocks.mrkdwn import date, escape, mention, shorten, split, visible
from bot.blocks.pieces import laid_out, of_text
from bot.blocks.posts import Post
from bot.errors import Reason, sentence
from bot.notes import without_send
from bot.plaintext import to_plain

_DETAIL = 500
_SAID = 120
_FINAL = frozenset({"file_alone", "empty", "other_environment", "no_lead", "not_permitted"})
_MENDED_BY_KEEPERS = frozenset({"reconnect", "scope_missing", "not_configured"})

ANSWERED: Mapping[str, str] = MappingProxyType(
    {
        "reply_send_now": "Sending it now. The mark on the message shows whether it arrived.",
        "reply_send": "Sending it. The mark on the message shows whether it arrived.",
        "reply_send_again": "Sending it again. The mark on the message shows whether it arrived.",
        "reply_retry": "Trying again. The mark on the message shows whether it arrived.",
        "reply_keep": "Kept inside. The customer does not get it.",
        "reply_discard": "Discarded. The customer does not get it.",
        "reply_arrived": "Noted: it arrived.",
    }
)
"""What replaces a prompt once one of its buttons was pressed, by `action_id`."""


def held_prompt(message_id: int, *, goes_at: datetime, said: str | None = None) -> Post:
    """For the writer alone, while a reply waits: when it goes, and how to change that."""
    told = f":hourglass_flowing_sand: Goes to the customer at {date(goes_at, '{time_secs}')}."
    buttons = [button("reply_send_now", "Send now", message_id), button("reply_keep", "Keep inside", message_id)]
    text = "This goes to the customer in a moment."
    return _asked(text, f"{told} Until then you can edit or delete it.", said, buttons)


def kept_prompt(message_id: int, *, why: str, said: str | None = None) -> Post:
    """For the writer alone: a reply was kept inside on a doubt; `why` is its code (ask_mention, ask_only_emoji …)."""
    told = f"Kept inside. {sentence(why)}"
    return _asked(told, f":memo: {told}", said, [button("reply_send", "Send", message_id)])


def file_choice(message_id: int, *, said: str | None = None) -> Post:
    """For the writer alone: a reply has a file, which Thumbtack does not take."""
    told = "Thumbtack takes text only. Send the text without the file?"
    buttons = [
        button("reply_send", "Send text only", message_id, style="primary"),
        button("reply_discard", "Cancel", message_id),
    ]
    return _asked(told, f":paperclip: {told}", said, buttons)


def doubted(message_id: int, *, why: Reason, owner: str | None, said: str | None = None) -> Post:
    """For the writer alone: a reply waits until they say that it is meant.

    `owner` has the lead (a Slack user id); None: nobody else has it any more. The buttons' block_id is `why`, so that a press
    answers this question and not the next one.
    """
    if why is Reason.SECOND_WRITER:
        who, text = mention([owner or ""]), "Not sent yet: somebody else had this lead when you wrote it."
        text = "Not sent yet: somebody else has this lead." if who else text
        told = f"Not sent yet: {who} has this lead. Send it all the same?" if who else f"{text} Send it now?"
        name, again = "raising_hand", []
    else:
        text = "Not sent yet: it carries a phone number or an e-mail address."
        told = f"{text} Thumbtack discourages that in messages. Send it all the same, or edit it?"
        name, again = "telephone_receiver", [button("contact_ok", "Send, don't ask me again", message_id)]
    buttons = [
        button("reply_send", "Send", message_id, style="primary"),
        *again,
        button("reply_discard", "Discard", message_id),
    ]
    return _asked(text, f":{name}: {told}", said, buttons, asks=why)


def directly(post: Post, url: str | None) -> Post:
    """A question that nobody answered in the thread, as a direct message; `url` leads to where it was asked."""
    where = f"<{url}|this lead's thread>" if url else "a lead's thread"
    return Post(text=post.text, blocks=[section(f"About what you wrote in {where}:"), *post.blocks])


def asked_more() -> Post:
    """What replaces a question that was answered, where there is another one to ask."""
    return _told("There is one more thing to ask about this reply: see the next question.")


def writer_asked() -> Post:
    """Likewise for somebody else than its writer, whom alone it is asked."""
    return _told("Not sent yet: its writer is asked about it first.")


def refused_again(reason: str | None) -> Post:
    """What replaces a question where the answer was yes, but it cannot go out; a line in the thread says so with Retry."""
    return _told(f"Not sent. {sentence(reason)}")


def refused(
    message_id: int, *, writer: str | None, reason: str, detail: str | None = None, said: str | None = None
) -> Post:
    """A reply cannot go out. `detail` is what Thumbtack said itself, for people; Retry stands where it can help."""
    told = f"Not delivered. {sentence(reason)}"
    answer = visible(detail)
    beside = [small_plain(f"Thumbtack says: {shorten(answer, _DETAIL)}")] if answer else []
    buttons = [] if reason in _FINAL else [button("reply_retry", "Retry", message_id)]
    return _asked(told, f":x: {_to(writer)}{told}", said, buttons, *beside)


def unknown(message_id: int, *, writer: str | None, said: str | None = None) -> Post:
    """Whether a reply arrived cannot be known; nobody sends it again but a person."""
    told = "This reply may or may not have arrived."
    buttons = [button("reply_arrived", "It arrived", message_id), button("reply_send_again", "Send again", message_id)]
    why = sentence("outcome_unknown")
    return _asked(told, f":warning: {_to(writer)}{told} {why}", said, buttons)


def overdue(
    message_id: int, *, writer: str | None, minutes: int, held_by: str | None = None, said: str | None = None
) -> Post:
    """A reply could not go out for so long that it is not sent by itself. `held_by`: the code of what held it."""
    told = f"Not sent: this reply waited {minutes} minutes and may be out of date."
    why = f" {sentence(held_by)}".replace("press Retry", "press Send now") if held_by in _MENDED_BY_KEEPERS else ""
    buttons = [button("reply_send_now", "Send now", message_id), button("reply_discard", "Discard", message_id)]
    after = "Later replies to this customer wait for your choice."
    return _asked(told, f":x: {_to(writer)}{told}{why} {after}", said, buttons)


def edited_too_late() -> Post:
    """A message was edited after it went out."""
    return _told("This already went out: the customer has the old text. Write a new message to correct it.")


def deleted_too_late() -> Post:
    """A message was deleted after it went out."""
    return _told("This already went out: the customer still has it. Write a new message to correct it.")


def stays_inside(reason: str) -> Post:
    """A message was kept inside, and nothing can be done about it here."""
    return _told(f":memo: Kept inside. {sentence(reason)}")


def copy_back(text: str, *, reason: str | None = None) -> list[Post]:
    """Gives somebody's own words back, in boxes to copy from.

    Nothing else holds them any more; or, where there is a `reason`, they stayed inside and are to be sent in Thumbtack.
    """
    why = "This was not sent." if reason is None else f":memo: Kept inside. {sentence(reason)}"
    told = f"{why} Here is the text, to copy:"
    return [
        Post(text=told, blocks=[section(told), rich(copyable(part))])
        for part in split(text, LONGEST_TEXT - 400)
        if visible(part)
    ]


def modal_line(writer: str | None, text: str) -> Post:
    """The bot's line in the thread that shows what somebody wrote with the Reply button; it carries the mark."""
    said = of_text(text, quoted=True) or of_text("(no text)")
    blocks = [section(f"{_to(writer) or 'Somebody '}replied with the button:"), laid_out(said)]
    return Post(text=escape(f"Reply: {shorten(visible(text) or '(no text)', 300)}"), blocks=blocks)


def already_decided() -> Post:
    """What replaces a prompt whose question was answered before, by somebody or by time."""
    return _told(sentence("already_decided"))


def cannot(reason: str) -> Post:
    """For who pressed something that can do nothing here."""
    return _told(sentence(reason))


def answered(action_id: str) -> Post:
    """What replaces a prompt after a button was pressed."""
    return _told(ANSWERED[action_id])


def _to(writer: str | None) -> str:
    return f"{mention([writer])} " if writer else ""


def _told(mrkdwn: str) -> Post:
    return Post(text=mrkdwn, blocks=[section(mrkdwn)])


def _asked(
    text: str, mrkdwn: str, said: str | None, buttons: list[Element], *beside: Block, asks: str | None = None
) -> Post:
    """What happened, to which reply, and the choices; `asks` names the question."""
    begins = visible(without_send(to_plain(said, None, {})))
    which = [small_plain(f"“{shorten(' '.join(begins.split()), _SAID)}”")] if begins else []
    row = [actions(buttons) | ({"block_id": asks} if asks else {})] if buttons else []
    return Post(text=text, blocks=[section(mrkdwn), *which, *beside, *row])
