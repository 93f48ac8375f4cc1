"""The list of the numbers that may call customers through Thumbtack Numbers, with its buttons.

Names come from outside, so they stand in rich text and plain text only. Every `value` of a button is our own id.
"""

from collections.abc import Sequence

from bot.blocks.kit import (
    LARGEST,
    Block,
    Element,
    actions,
    button,
    header,
    lines,
    moment,
    plain,
    rich,
    section,
    size,
    small,
    small_plain,
    words,
)
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post
from bot.phone_numbers import national
from storage.models import Business, Phone

USAGE = (
    "phones",
    "phones Front desk",
    "phones add +1 650 555 0101 Front desk",
    "phones import",
)
MOST_BLOCKS = 50
MOST_OPTIONS = 100
_LONGEST_NAME_SHOWN = 120
_DAY = {"format": "{date_short_pretty}"}
CONNECT = "Type `/thumbtack connect` and choose *Leads, messages, phones*"


def page(
    business: Business,
    phones: Sequence[Phone],
    *,
    find: str = "",
    may_change: bool = True,
    outcome: Post | None = None,
) -> Post:
    """The numbers of a business, as many as fit; `find`: only those that it names. `outcome`: what is said above.

    Without `may_change` there are no buttons, and it is said why.
    """
    found = [one for one in phones if _fits(one, find)] if find else list(phones)
    title = header(shorten(f"Phone numbers of {called(business)}", 150))
    below = _below(business, may_change=may_change)
    above = [*(outcome.blocks if outcome else []), title, *_about(found, of=len(phones), find=find)]
    rows = [_row(one, may_change=may_change) for one in found]
    room, blocks_left = LARGEST - size([*above, *below]) - 400, MOST_BLOCKS - len(above) - len(below) - 1
    shown: list[Block] = []
    count = 0
    for row in rows:
        room, blocks_left = room - size(row), blocks_left - len(row)
        if room < 0 or blocks_left < 0:
            break
        shown += row
        count += 1
    more = [small(_more(len(rows) - count))] if count < len(rows) else []
    text = escape(f"Phone numbers of {shorten(called(business), 150)}: {len(phones)}")
    return Post(text=outcome.text if outcome else text, blocks=[*above, *shown, *more, *below])


def _about(found: Sequence[Phone], *, of: int, find: str) -> list[Block]:
    if find:
        sought = shorten(visible(find) or "that", 60)
        if not found:
            lines_ = "\n".join(f"`/thumbtack {one}`" for one in USAGE)
            return [small_plain(f"No name or number has “{sought}” in it. There are {of} in all."), section(lines_)]
        return [small_plain(f"Those with “{sought}” in name or number: {len(found)} of {of}.")]
    if not found:
        return [small_plain("None is registered. Only registered numbers reach customers through Thumbtack.")]
    return [small_plain("These may call and text customers through Thumbtack.")]


def _row(phone: Phone, *, may_change: bool) -> list[Block]:
    name, number = shown_name(phone.name), national(phone.number)
    first = [words(name, bold=True)] if name else [words("No name")]
    used = phone.last_activity_at
    second = [words(number), *([words(" · last used "), moment(used) | _DAY] if used else [])]
    phone_id = phone.id or 0
    buttons = [button("phone_rename", "Rename", phone_id), button("phone_remove", "Remove", phone_id)]
    return [rich(lines(first, second)), *([actions(buttons)] if may_change else [])]


def _more(count: int) -> str:
    numbers = "1 more number" if count == 1 else f"{count} more numbers"
    return f"… and {numbers}. Find one by a part of its name or number: `/thumbtack phones Front desk`"


def _below(business: Business, *, may_change: bool) -> list[Block]:
    if not may_change:
        told = f"Thumbtack lets us see these numbers, not change them. {CONNECT}, then allow everything it asks for."
        return [small(told)]
    business_id = business.id or 0
    add = button("phone_add", "Add a number", business_id, style="primary")
    return [actions([add, button("phone_import", "Import several", business_id)])]


def _fits(phone: Phone, find: str) -> bool:
    """Whether what somebody looks for is in the name, or its digits are in the number."""
    if find.casefold() in (phone.name or "").casefold():
        return True
    digits = "".join(character for character in find if character.isdigit())
    is_number = digits and not any(character.isalpha() for character in find)
    return bool(is_number) and digits in "".join(filter(str.isdigit, phone.number))


def which_business(businesses: Sequence[Business]) -> Post:
    """Several businesses are connected: the person picks one."""
    told, room = "Which business's phone numbers?", LARGEST - 1_000
    options: list[Element] = []
    for one in businesses[:MOST_OPTIONS]:
        room -= size(option(one))
        if room < 0:
            break
        options.append(option(one))
    select = {
        "type": "static_select",
        "action_id": "phone_business",
        "placeholder": plain("Pick a business"),
        "options": options,
    }
    more = "Not in the list? Type its name: `/thumbtack phones Oak Painting`"
    cut = [small(more)] if len(options) < len(businesses) else []
    return Post(text=told, blocks=[section(told), actions([select]), *cut])


def option(business: Business) -> Element:
    """A business in a list to pick from; its value is our own id."""
    return {"text": plain(shorten(called(business), 75)), "value": str(business.id or 0)}


def called(business: Business) -> str:
    """A business's name, or its id where it has none."""
    return visible(business.name) or f"business {business.thumbtack_id}"


def shown_name(name: str | None) -> str:
    """A number's name on one line, of a length that fits; empty where it has none."""
    return shorten(" ".join((visible(name) or "").split()), _LONGEST_NAME_SHOWN)
