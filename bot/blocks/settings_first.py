"""The automatic first reply of a business: the window in which it is written and switched on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.kit import Block, Element, plain, section, small
from bot.blocks.mrkdwn import shorten, visible
from bot.blocks.reading import filled, row_id
from bot.blocks.settings_saved import LONGEST, MEANINGS, placeholders_line
from bot.placeholders import Placeholder
from storage.first_replies import When

FORM = "first_form"
BUSINESS, WHEN, TEXT = "first_business", "first_when", "first_text"
"""The inputs. Their names hold the business too: Slack keeps what stands in an input of the same name."""

FILLED: Mapping[Placeholder, str] = {name: told for name, told in MEANINGS.items() if name is not Placeholder.MY_NAME}
"""What can stand in a text that nobody sends."""

NO_BUSINESS = "No business is known yet. They appear with their first lead."
NO_SENDER = "Nobody sends it, so {my_name} stands for nobody."
NO_HOURS = "The hours of this business are not set. Set them first: Settings, Businesses."
NO_PROSE = "This would not go out: there must be words, and not those of a note to the team."
CARRIES = "It carries a phone number or an e-mail address, and nobody could be asked before it goes out."
GONE = "This business is not known here any more."
CHOOSE = "Choose when it goes out."

_MOST_OPTIONS = 100  # https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
_LONGEST_OPTION = 75
_WHENS: Mapping[When, str] = {
    When.OFF: "Off",
    When.ALWAYS: "Always",
    When.OPEN: "In business hours",
    When.CLOSED: "Outside business hours",
}
_MEANS = (
    "It goes out once per lead, just over a minute after it came, and only if none of you has answered and Thumbtack's own "
    "quick reply was not sent. Never for test leads, nor in quiet channels. In the thread it is marked as automatic, and the "
    "lead still waits for your answer."
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A business in the menu."""

    business_id: int
    name: str | None


@dataclass(frozen=True, kw_only=True)
class First:
    """A business's first reply as it is set."""

    business_id: int
    text: str
    when: When


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """What was chosen; `when` is None for what is no choice of ours, `business_id` 0 for no business."""

    business_id: int
    text: str
    when: When | None


def window(choices: Sequence[Choice], first: First | None) -> dict[str, Any]:
    """The window; None where there is no business at all."""
    if first is None:
        return _window([section(NO_BUSINESS)], business_id=0)
    blocks = [
        _which(choices, first.business_id),
        _when(first),
        _text(first),
        small(placeholders_line(FILLED)),
        small(_MEANS),
    ]
    return _window(blocks, business_id=first.business_id) | {"submit": plain("Save")}


def submitted(view: Mapping[str, Any]) -> Submitted:
    """What a submitted window says, whatever is in it."""
    business_id = row_id(view.get("private_metadata"))
    chosen = filled(view, WHEN, named(WHEN, business_id))
    text = filled(view, TEXT, named(TEXT, business_id)).strip()
    return Submitted(business_id=business_id, text=text, when=When(chosen) if chosen in {*When} else None)


def named(name: str, business_id: int) -> str:
    """The action_id of an input."""
    return f"{name}:{business_id}"


def _window(blocks: list[Block], *, business_id: int) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": str(business_id),
        "title": plain("First reply"),
        "close": plain("Back"),
        "blocks": blocks,
    }


def _which(choices: Sequence[Choice], chosen: int) -> Block:
    options = [_option(_called(one.name), str(one.business_id)) for one in choices]
    initial = next(one for one in options if one["value"] == str(chosen))
    if len(options) == 1:
        return {"type": "section", "text": initial["text"]}
    menu: Element = {"type": "static_select", "action_id": BUSINESS, "initial_option": initial}
    return {
        "type": "section",
        "block_id": BUSINESS,
        "text": plain("Of which business?"),
        "accessory": menu | _grouped(options),
    }


def _grouped(options: list[Element]) -> Element:
    """A menu takes a hundred options, and a hundred groups of them."""
    if len(options) <= _MOST_OPTIONS:
        return {"options": options}
    starts = range(0, min(len(options), _MOST_OPTIONS**2), _MOST_OPTIONS)
    groups = [options[start : start + _MOST_OPTIONS] for start in starts]
    return {"option_groups": [{"label": plain(_span(group)), "options": group} for group in groups]}


def _span(group: Sequence[Element]) -> str:
    first, last = (shorten(group[end]["text"]["text"], 30) for end in (0, -1))
    return f"{first} – {last}"


def _when(first: First) -> Block:
    options = [_option(label, when) for when, label in _WHENS.items()]
    element: Element = {"type": "radio_buttons", "action_id": named(WHEN, first.business_id), "options": options}
    element["initial_option"] = options[list(_WHENS).index(first.when)]
    return {"type": "input", "block_id": WHEN, "label": plain("When it goes out"), "element": element}


def _text(first: First) -> Block:
    element: Element = {
        "type": "plain_text_input",
        "action_id": named(TEXT, first.business_id),
        "multiline": True,
        "max_length": LONGEST,
    }
    element |= {"initial_value": first.text} if first.text else {}
    return {"type": "input", "block_id": TEXT, "optional": True, "label": plain("Text"), "element": element}


def _option(text: str, value: str) -> Element:
    return {"text": plain(shorten(text, _LONGEST_OPTION)), "value": str(value)}


def _called(name: str | None) -> str:
    return visible(name) or "A business"
