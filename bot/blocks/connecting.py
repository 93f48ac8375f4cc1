"""Connecting a business: the links, the window for a code, and the question which business it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.kit import (
    Block,
    Element,
    actions,
    icon,
    line,
    link_button,
    plain,
    rich,
    section,
    small,
    small_plain,
    words,
)
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post

API_BLOCK, CODE_BLOCK = "api", "code"
LONGEST_CODE = 2_000
MOST_OPTIONS = 100  # https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
_LONGEST_OPTION = 75
_LONGEST_NAME = 80

GOES_FOR: Mapping[str, str] = {"v4": "Leads, messages, phones", "legacy": "Messages, targeting"}
"""What each API's consent is for, in the words of its button."""

CALLED: Mapping[str, str] = {"v4": "Thumbtack's API v4", "legacy": "Thumbtack's Pro API"}
"""What each API is called."""

CLIENT: Mapping[str, str] = {
    "v4": "`THUMBTACK_CLIENT_ID` and `THUMBTACK_CLIENT_SECRET`",
    "legacy": "`THUMBTACK_LEGACY_CLIENT_ID` and `THUMBTACK_LEGACY_CLIENT_SECRET`",
}
"""The settings of each API's client, in mrkdwn."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A business between which somebody chooses."""

    business_id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A connection of which it is not known yet for which business it is."""

    connection_id: int
    generation: str
    choices: tuple[Choice, ...]


# What the verb answers


def offers(links: Mapping[str, str], *, shared_client: bool = False, unfinished: Iterable[Unfinished] = ()) -> Post:
    """One button per API that there is a client for; `links` by API. `shared_client`: the Pro API's tokens are never renewed."""
    blocks: list[Block] = []
    for one in unfinished:
        blocks += _which(one)
    blocks.append(section("*Connect a business with Thumbtack*"))
    for generation, url in links.items():
        note = (
            "\n_The client is shared: this one is good for an hour._"
            if shared_client and generation == "legacy"
            else ""
        )
        shown = section(f"*{GOES_FOR[generation]}*\nby {CALLED[generation]}{note}")
        blocks.append(shown | {"accessory": link_button("connect_open", "Connect", url)})
    blocks.append(small("You choose the business on Thumbtack's page. The links are yours, for 10 minutes and once."))
    absent = [one for one in GOES_FOR if one not in links]
    for generation in absent:
        told = f"{GOES_FOR[generation]} by {CALLED[generation]}: not set up ({CLIENT[generation]})."
        blocks.append(small(told))
    blocks.append(small("Thumbtack shows you a code? `/thumbtack connect code`"))
    return Post(text="Connect a business with Thumbtack", blocks=blocks)


def no_public_url() -> Post:
    """Without an address nobody can come back from Thumbtack."""
    told = "Connecting needs an address that Thumbtack can send you back to."
    how = (
        "Set `PUBLIC_URL` to where the world reaches this service, like `https://leads.example.com`, and restart. "
        "Then have Thumbtack register `https://leads.example.com/thumbtack/callback` as redirect URI of your client."
    )
    return Post(text=told, blocks=[section(f":electric_plug: {told}"), section(how)])


def no_client(callback_url: str, *, can_reply: bool) -> Post:
    """Where no client is set: who gives one, what they ask for, and what works without."""
    told = "To connect, Corkboard needs a client from Thumbtack's partner team."
    replies = (
        "replies go out too, by the user name and password that are set"
        if can_reply
        else "and replies go out once `THUMBTACK_LEGACY_USERNAME` and `…_PASSWORD` are set"
    )
    blocks = [
        section(f":electric_plug: {told}"),
        section(
            f"*{GOES_FOR['v4']}*\nAsk at <https://developers.thumbtack.com/request-access>. They want to know: company, "
            "contact, technical contact, your site, redirect URI, and links to logo, privacy policy and terms.\n"
            f"Then set {CLIENT['v4']}."
        ),
        section(
            f"*{GOES_FOR['legacy']}*\nWrite to teampartnerships@thumbtack.com, with the redirect URI and the scopes "
            f"`messages targeting`.\nThen set {CLIENT['legacy']}."
        ),
        section(f"The redirect URI is exactly `{escape(callback_url)}`."),
        small(
            f"Works without: leads, messages and reviews come by webhook, {replies}. Pausing and phone numbers do not."
        ),
    ]
    return Post(text=told, blocks=blocks)


def which_business(unfinished: Unfinished) -> Post:
    """Thumbtack let us in but does not say for which business: the person who connected picks it."""
    return Post(text="Which business did you connect?", blocks=_which(unfinished))


def _which(unfinished: Unfinished) -> list[Block]:
    asked = section(
        f":question: *Which business did you connect?*\nThumbtack let Corkboard in "
        f"({GOES_FOR[unfinished.generation].lower()}) but does not say for which business."
    )
    if not unfinished.choices:
        told = "No lead has come yet, so there is none to pick. After the first one, type `/thumbtack connect`."
        return [asked, small(told)]
    options = [
        _option(one.name, f"{unfinished.connection_id}-{one.business_id}") for one in unfinished.choices[:MOST_OPTIONS]
    ]
    menu = {
        "type": "static_select",
        "action_id": "connect_business",
        "placeholder": plain("Pick a business"),
        "options": options,
    }
    return [asked, actions([menu]), small("If there are several, pick one after the other.")]


def picked(name: str) -> Post:
    """Somebody said which business it is."""
    told = f"{short(name)} is connected."
    return Post(text=escape(told), blocks=[rich(line(icon("white_check_mark"), words(f" {told}")))])


def over() -> Post:
    """What was pressed is about something that is not there any more."""
    told = "That connection is over. Type `/thumbtack connect` for a new one."
    return Post(text=told, blocks=[section(told)])


def not_set_up(generation: str) -> Post:
    """There is no client for this API any more."""
    told = f"Connecting by {CALLED[generation]} is not set up any more."
    return Post(text=told, blocks=[section(f"{told} Set {CLIENT[generation]}, and restart.")])


def again(url: str, *, names: Sequence[str], generation: str) -> Post:
    """A fresh link for who pressed Connect again."""
    what = listed(names) or "the business"
    notes = [small("The link is yours, for 10 minutes and once.")]
    if generation == "legacy":  # its page hints at this ("Test OAuth flow during API Integration")
        notes.append(small("Thumbtack says it is connected already? First `/thumbtack disconnect`."))
    return Post(
        text=escape(f"Connect {what} again"),
        blocks=[
            rich(line(words(f"Connect {what} again ({GOES_FOR[generation].lower()}):"))),
            actions([link_button("connect_open", "Open Thumbtack", url)]),
            *notes,
        ],
    )


# The code window


def code_window(generations: Sequence[str]) -> dict[str, Any]:
    """The window for a code that Thumbtack shows instead of sending people back; its API is asked where there are two."""
    blocks: list[Block] = []
    if len(generations) > 1:
        choices = [_option(GOES_FOR[one], one) for one in generations]
        menu = {"type": "static_select", "action_id": API_BLOCK, "options": choices, "initial_option": choices[-1]}
        blocks.append({"type": "input", "block_id": API_BLOCK, "label": plain("What for"), "element": menu})
    blocks.append(
        {
            "type": "input",
            "block_id": CODE_BLOCK,
            "label": plain("Code"),
            "hint": plain("As Thumbtack shows it, or the whole address. It is good for 5 minutes."),
            "element": {"type": "plain_text_input", "action_id": CODE_BLOCK, "max_length": LONGEST_CODE},
        }
    )
    blocks.append(small_plain("First press Connect in /thumbtack connect: the code belongs to that."))
    return {
        "type": "modal",
        "callback_id": "connect_code",
        "private_metadata": generations[0] if len(generations) == 1 else "",
        "title": plain("Connect by code"),
        "submit": plain("Connect"),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def did_not_open() -> Post:
    """For who typed the command, where Slack did not show the window."""
    told = "The window did not open in time. Type `/thumbtack connect code` again."
    return Post(text=told, blocks=[section(told)])


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    shown = [short(name) for name in names]
    return "".join(shown) if len(shown) < 2 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def short(name: str) -> str:
    """A name as far as a sentence has room for it."""
    return shorten(visible(name) or "A business", _LONGEST_NAME)


def _option(text: str, value: str) -> Element:
    return {"text": plain(shorten(visible(text) or "A business", _LONGEST_OPTION)), "value": value}
