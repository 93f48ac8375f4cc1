"""Ending a connection and forgetting a business: the window that asks, and what people are told about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.blocks.kit import Block, Element, icon, line, plain, rich, section, small, small_plain, words
from bot.blocks.mrkdwn import date, escape, mention, shorten, visible
from bot.blocks.posts import Post
from bot.blocks.reading import filled, row_id

CALLBACK = "disconnect_confirm"
BUSINESS, HOW = "business", "how"
"""The inputs: block_id and action_id alike."""

KEEP, ERASE = "keep", "erase"

LISTED = 100  # https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
_LONGEST_OPTION = 75
_LONGEST_NAME = 150

_HOWS = {
    KEEP: ("Stop and keep history", "Leads and threads stay, and go on when it is connected again."),
    ERASE: ("Stop and erase", "In 24 hours, all its leads and our posts about them are deleted."),
}
"""Labels and descriptions; Slack takes 75 characters of each."""

_MEANS = (
    "Either way nothing is sent to Thumbtack for it any more; replies that still wait are given back to their writers. "
    "Erasing is announced in the leads channel, and connecting again within the 24 hours calls it off. "
    "What people wrote themselves stays in Slack."
)

_CAME = {
    "legacy": {
        "done": "Pro API: Thumbtack has revoked our access.",
        "shared": "Pro API: its credentials belong to another system too, so Thumbtack was not asked to revoke them.",
        "refused": "Pro API: Thumbtack did not revoke our access. Here the tokens are gone; there they run out by "
        "themselves, within 30 days. Tell Thumbtack if that is too long.",
        "unreached": "Pro API: Thumbtack could not be reached for three days. Here the tokens are gone; there they run "
        "out by themselves, within 30 days.",
        "again": "Pro API: it was connected again meanwhile, and stays so.",
    },
    "v4": {
        "done": "v4 API: our webhooks are removed and the tokens forgotten.",
        "none": "v4 API: the tokens are forgotten; no webhook of ours was left.",
        "scope": "v4 API: the tokens are forgotten. We may not see its webhooks: if there is one of ours, remove it in "
        "Thumbtack.",
        "refused": "v4 API: the tokens are forgotten. Thumbtack did not remove our webhooks: remove them there.",
        "unreached": "v4 API: the tokens are forgotten. Thumbtack could not be reached to remove our webhooks: remove "
        "them there.",
        "again": "v4 API: it was connected again meanwhile, and stays so.",
    },
}

_COUNTED = (
    ("leads", "lead", "leads"),
    ("customers", "customer", "customers"),
    ("messages", "message", "messages"),
    ("reviews", "review", "reviews"),
    ("phone_numbers", "phone number", "phone numbers"),
    ("webhooks", "stored webhook", "stored webhooks"),
    ("posts", "post in Slack", "posts in Slack"),
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A business that can be chosen."""

    business_id: int
    name: str | None
    is_connected: bool

    @property
    def label(self) -> str:
        """Its name, and whether there is anything to stop."""
        return called(self.name) if self.is_connected else f"{called(self.name)} (not connected)"


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """What was chosen in the window; `business_id` is 0 and `how` is empty for what is not ours."""

    business_id: int
    how: str


def called(name: str | None) -> str:
    """A business's name, or what stands for one that has none."""
    return shorten(visible(name) or "A business without a name", _LONGEST_NAME)


def confirm(choices: Sequence[Choice], *, chosen: int | None, sealed_url: str) -> dict[str, Any]:
    """The window; `chosen` is selected already. `sealed_url` comes back with it: where it is answered."""
    head: list[Block] = [_which(choices, chosen)] if len(choices) > 1 else [_the_one(choices[0])]
    only = f":{choices[0].business_id}" if len(choices) == 1 else ":"
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": f"{sealed_url}{only}",
        "title": plain("Disconnect"),
        "submit": plain("Stop"),
        "close": plain("Cancel"),
        "blocks": [*head, _how(), small(_MEANS)],
    }


def _which(choices: Sequence[Choice], chosen: int | None) -> Block:
    options = [_option(choice) for choice in choices[:LISTED]]
    element: Element = {
        "type": "static_select",
        "action_id": BUSINESS,
        "placeholder": plain("Which business?"),
        "options": options,
    }
    initial = [option for option in options if option["value"] == str(chosen)]
    if initial:
        element["initial_option"] = initial[0]
    made: Block = {"type": "input", "block_id": BUSINESS, "label": plain("Business"), "element": element}
    if len(choices) > LISTED:
        made["hint"] = plain("There are more: write the name after /thumbtack disconnect.")
    return made


def _option(choice: Choice) -> Element:
    return {"text": plain(shorten(choice.label, _LONGEST_OPTION)), "value": str(choice.business_id)}


def _the_one(choice: Choice) -> Block:
    return rich(line(words(choice.label, bold=True)))


def _how() -> Block:
    options = [
        {"text": plain(label), "description": plain(means), "value": value} for value, (label, means) in _HOWS.items()
    ]
    return {
        "type": "input",
        "block_id": HOW,
        "label": plain("What shall happen?"),
        "element": {"type": "radio_buttons", "action_id": HOW, "options": options, "initial_option": options[0]},
    }


def submitted(view: Mapping[str, Any]) -> Submitted:
    """What was chosen in a submitted window."""
    only = str(view.get("private_metadata") or "").rpartition(":")[2]
    return Submitted(business_id=row_id(filled(view, BUSINESS) or only), how=filled(view, HOW))


def sealed_url(view: Mapping[str, Any]) -> str:
    """Where a submitted window is answered, sealed as it was."""
    return str(view.get("private_metadata") or "").rpartition(":")[0]


# What the person is told


NOT_CONNECTED = "It is not connected, so there is nothing to stop. Its history can still be erased."
GONE = "This business is not known here any more."
ERASED_SOON = "It is going to be erased already."


def nothing_to_stop() -> Post:
    """No business is known."""
    return _told("No business is connected, and none is known from leads.", ":information_source:")


def did_not_open() -> Post:
    """For who typed the command, where Slack did not show the window: it must come within 3 s."""
    told = "The window did not open in time. Type `/thumbtack disconnect` again."
    return Post(text=told, blocks=[section(told)])


def waiting(name: str | None) -> Post:
    """Thumbtack cannot be told just now."""
    told = "is disconnected here, and nothing is sent for it any more. Thumbtack cannot be reached to be told so."
    return _about(name, f" {told} It is tried again, and I tell you here.", ":hourglass_flowing_sand:")


def stopped(
    name: str | None,
    came: Mapping[str, str],
    *,
    erased_at: datetime | None,
    was_connected: bool = True,
    is_paused: bool = False,
) -> Post:
    """What came of it at each API. `erased_at`: when it is erased; `is_paused`: it gets no new leads, as set here."""
    said = " is disconnected. Nothing is sent to Thumbtack for it any more."
    post = _about(name, said if was_connected else " was not connected.", ":electric_plug:")
    came_of = [_CAME[api][code] for api, code in came.items() if code in _CAME.get(api, {})]
    blocks = [*post.blocks, *([small_plain("\n".join(came_of))] if came_of else [])]
    text = post.text
    if is_paused and "legacy" in came:
        told = "New leads are paused, and Corkboard cannot end that any more: do it in Thumbtack."
        blocks.append(section(f":warning: {told}"))
    if erased_at is not None:
        when = f"All that is known of it is erased {date(erased_at)}, with our posts in Slack."
        blocks.append(section(f":wastebasket: {when} To call it off, connect it again before then."))
        text += " It will be erased."
    blocks.append(
        small("Leads that Thumbtack goes on sending are kept all the same: to end that, end its webhook there.")
    )
    return Post(text=text, blocks=blocks)


# What everybody is told


def erasure_planned(name: str | None, *, starts_at: datetime, asked_by: str | None) -> Post:
    """A business will be erased: the day before."""
    who = mention([asked_by]) if asked_by else ""
    post = _about(name, " is going to be erased.", ":wastebasket:")
    when = f"{date(starts_at)} its leads, customers and messages are deleted here, and our posts about them in Slack."
    by = f" {who} asked for it." if who else ""
    return Post(
        text=post.text,
        blocks=[
            *post.blocks,
            section(f"{when}{by} To call it off, connect it again before: `/thumbtack connect`."),
            small("What people wrote themselves stays in Slack. Save what you still need before then."),
        ],
    )


def erasure_cancelled(name: str | None) -> Post:
    """It was connected again in time."""
    return _about(name, " is connected again: it is not going to be erased.", ":leftwards_arrow_with_hook:")


def receipt(name: str | None, thumbtack_id: str | None, *, counts: Mapping[str, int], started_at: datetime) -> Post:
    """A business was erased: what went, in numbers."""
    post = _about(name, f" is erased. Thumbtack's id of it: {visible(thumbtack_id) or 'not known'}.", ":wastebasket:")
    numbers = [f"{counts.get(key, 0):,} {one if counts.get(key, 0) == 1 else many}" for key, one, many in _COUNTED]
    blocks = [
        *post.blocks,
        section(f"Deleted since {date(started_at)}: {', '.join(numbers)}."),
        small(
            "What people wrote themselves is theirs, and stays in Slack. Copies of the database are yours to delete."
        ),
    ]
    unreached = counts.get("threads_left", 0) + counts.get("posts_left", 0)
    if unreached:
        blocks.append(section(f":warning: {_left(counts)} Delete them by hand."))
    return Post(text=post.text, blocks=blocks)


def _left(counts: Mapping[str, int]) -> str:
    threads, posts = counts.get("threads_left", 0), counts.get("posts_left", 0)
    told = []
    if threads:
        where = "1 thread" if threads == 1 else f"{threads:,} threads"
        told.append(f"Our posts in {where} could not be reached: the channel is archived or Corkboard is not in it.")
    if posts:
        told.append(f"Slack refused to delete {'1 post' if posts == 1 else f'{posts:,} posts'} of ours.")
    return " ".join(told)


def _about(name: str | None, said: str, emoji: str) -> Post:
    """A line that begins with a business's name, which is text from outside."""
    who = called(name)
    shown = rich(line(icon(emoji.strip(":")), words(" "), words(who, bold=True), words(said)))
    return Post(text=escape(f"{who}{said}"), blocks=[shown])


def _told(told: str, emoji: str) -> Post:
    return Post(text=told, blocks=[section(f"{emoji} {told}")])
