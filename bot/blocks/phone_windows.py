"""The windows in which phone numbers are registered, renamed, removed and imported.

`metadata` is what the window carries through Slack and back: our own ids, and a sealed address for the answer.
"""

from collections.abc import Sequence
from typing import Any

from bot.blocks.kit import Block, Element, line, plain, rich, small_plain, words
from bot.blocks.mrkdwn import shorten, visible
from bot.blocks.phones import MOST_OPTIONS, called, option
from bot.blocks.posts import Post
from bot.phone_numbers import LONGEST_NAME, Entry, national
from storage.models import Business, Phone

NUMBER, NAME, LINES, BUSINESS = "number", "name", "lines", "business"
"""The inputs, by block_id and action_id alike."""

LONGEST_LINES = 3_000
"""Slack's limit for a text input (https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element)."""


def add(businesses: Sequence[Business], *, metadata: str, filled_in: Entry | None = None) -> dict[str, Any]:
    """Register one number; with several businesses the person picks one. `filled_in`: what was typed already."""
    number, name = (national(filled_in.number), filled_in.name or "") if filled_in else ("", "")
    fields = [
        _input(
            NUMBER,
            "Phone number",
            number,
            hint="With the area code, such as (650) 555-0101. US and Canada.",
            longest=200,
        ),
        _input(
            NAME, "Name", name, hint="Whose it is, for your team and Thumbtack.", optional=True, longest=LONGEST_NAME
        ),
    ]
    return _window("phone_add", "Add a number", "Add", [*_whose(businesses), *fields], metadata)


def rename(business: Business, phone: Phone, *, metadata: str) -> dict[str, Any]:
    """Call a number something else."""
    about = small_plain(shorten(f"{national(phone.number)} · {called(business)}", 300))
    field = _input(NAME, "Name", shorten(visible(phone.name) or "", LONGEST_NAME), longest=LONGEST_NAME)
    return _window("phone_rename", "Rename a number", "Rename", [about, field], metadata)


def remove(business: Business, phone: Phone, *, metadata: str) -> dict[str, Any]:
    """Confirm that a number shall not call any more."""
    name = shorten(visible(phone.name) or "", LONGEST_NAME)
    who = (
        [words(name, bold=True), words(f"\n{national(phone.number)}")]
        if name
        else [words(national(phone.number), bold=True)]
    )
    told = rich(line(words("It will no longer call or text customers through Thumbtack.")))
    about = small_plain(shorten(called(business), 300))
    return _window("phone_remove", "Remove this number?", "Remove", [rich(line(*who)), told, about], metadata)


def bulk(businesses: Sequence[Business], *, metadata: str) -> dict[str, Any]:
    """Register several numbers at once."""
    hint = (
        "One per line with its name, or a table with commas, semicolons or tabs. One wrong line, and nothing is sent."
    )
    field = _input(LINES, "Numbers and names", "", hint=hint, longest=LONGEST_LINES, multiline=True)
    return _window("phone_import", "Import numbers", "Import", [*_whose(businesses), field], metadata)


def says(title: str, post: Post) -> dict[str, Any]:
    """A window that only says something, in place of one whose matter is gone."""
    return {
        "type": "modal",
        "callback_id": "phone_says",
        "title": plain(title),
        "close": plain("Close"),
        "blocks": post.blocks,
    }


def _whose(businesses: Sequence[Business]) -> list[Block]:
    """Which business it is for: said where there is one, asked where there are several."""
    if len(businesses) == 1:
        return [small_plain(shorten(called(businesses[0]), 300))]
    options = [option(one) for one in businesses[:MOST_OPTIONS]]
    picker: Element = {
        "type": "static_select",
        "action_id": BUSINESS,
        "placeholder": plain("Pick a business"),
        "options": options,
    }
    return [{"type": "input", "block_id": BUSINESS, "label": plain("Business"), "element": picker}]


def _window(callback_id: str, title: str, submit: str, blocks: list[Block], metadata: str) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": metadata,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("Cancel"),
        "blocks": blocks,
    }


def _input(
    name: str, label: str, value: str, *, longest: int, hint: str = "", multiline: bool = False, optional: bool = False
) -> Block:
    element: Element = {"type": "plain_text_input", "action_id": name, "multiline": multiline, "max_length": longest}
    element |= {"initial_value": value} if value else {}
    made: Block = {"type": "input", "block_id": name, "label": plain(label), "element": element}
    made |= {"hint": plain(hint)} if hint else {}
    return made | ({"optional": True} if optional else {})
