"""Block Kit's limits as data (https://docs.slack.dev/reference/block-kit), and the judge that refuses what breaks them.

Known are the blocks and elements an app like ours can use; a type that is missing here is refused as unsupported.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.slack.shapes import (
    Check,
    Complaints,
    by_type,
    flag,
    items,
    matching,
    one_of,
    record,
    string,
    whole_number,
)

Json = dict[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_SIZE = 13_200  # undocumented: https://github.com/slackapi/bolt-js/issues/2509 measured it


def _text(kind: str, most: int) -> Check:
    """A composition text object: plain_text, mrkdwn, or either."""
    body = {"type": one_of(kind), "text": string(most=most)}
    plain, mrkdwn = record(body, {"emoji": flag}), record(body, {"verbatim": flag})
    if kind == "either":
        return by_type({"plain_text": _text("plain_text", most), "mrkdwn": _text("mrkdwn", most)})
    return plain if kind == "plain_text" else mrkdwn


def plain_text(most: int) -> Check:
    """A plain_text object."""
    return _text("plain_text", most)


def any_text(most: int) -> Check:
    """A plain_text or mrkdwn object."""
    return _text("either", most)


_IDS: dict[str, Check] = {"action_id": string(most=255)}
_ANY: Check = lambda value, at, complaints: None  # noqa: E731, ARG005 - a check that accepts everything
_KIND: Check = _ANY  # `type` was looked at by `by_type`
_DATE = matching(re.compile(r"\d{4}-\d\d-\d\d").fullmatch, sentence="must be a date", most=10)
_TIME = matching(re.compile(r"([01]\d|2[0-3]):[0-5]\d").fullmatch, sentence="must be a time", most=5)
_WEB = matching(re.compile(r"https://[^\s]+").fullmatch, sentence="invalid url", most=3000)
_LINK = matching(re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+", re.IGNORECASE).fullmatch, sentence="invalid url", most=3000)
_FILE = record({}, {"id": string(most=255), "url": string(most=3000)}, any_of=("id", "url"))
_STYLE = one_of("primary", "danger")
_CONFIRM = record(
    {"title": plain_text(100), "text": any_text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": _STYLE},
)
_DISPATCH = record({}, {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), most=2)})


def _option(text: Check, *, value: int = 150, url: bool = False) -> Check:
    extra: dict[str, Check] = {"description": any_text(75), **({"url": _LINK} if url else {})}
    return record({"text": text, "value": string(most=value)}, extra)


_MENU_OPTION = _option(plain_text(75))
_BOX_OPTION = _option(any_text(75))
_OPTION_GROUP = record({"label": plain_text(75), "options": items(_MENU_OPTION, most=100)})
_COMMON: dict[str, Check] = {**_IDS, "confirm": _CONFIRM, "focus_on_load": flag, "placeholder": plain_text(150)}


def _element(required: Mapping[str, Check], optional: Mapping[str, Check], any_of: tuple[str, ...] = ()) -> Check:
    return record({"type": _KIND, **required}, optional, any_of=any_of)


_INPUT = {**_IDS, "placeholder": plain_text(150), "focus_on_load": flag, "dispatch_action_config": _DISPATCH}
_MANY = {"max_selected_items": whole_number}
_STATIC = {**_COMMON, "options": items(_MENU_OPTION, most=100), "option_groups": items(_OPTION_GROUP, most=100)}
_CHOICES: tuple[str, ...] = ("options", "option_groups")

IMAGE = _element(
    {"alt_text": string(most=2000)}, {"image_url": _WEB, "slack_file": _FILE}, any_of=("image_url", "slack_file")
)
BUTTON = _element(
    {"text": plain_text(75)},
    {**_IDS, "url": _LINK, "value": string(most=2000), "style": _STYLE, "confirm": _CONFIRM,
     "accessibility_label": string(most=75)},
)  # fmt: skip
ELEMENTS: dict[str, Check] = {
    "image": IMAGE,
    "button": BUTTON,
    "overflow": _element(
        {"options": items(_option(plain_text(75), url=True), most=5)}, {**_IDS, "confirm": _CONFIRM}
    ),
    "checkboxes": _element(
        {"options": items(_BOX_OPTION, most=10)}, {**_COMMON, "initial_options": items(_BOX_OPTION, most=10)}
    ),
    "radio_buttons": _element({"options": items(_BOX_OPTION, most=10)}, {**_COMMON, "initial_option": _BOX_OPTION}),
    "datepicker": _element({}, {**_COMMON, "initial_date": _DATE}),
    "timepicker": _element({}, {**_COMMON, "initial_time": _TIME, "timezone": string(most=255)}),
    "datetimepicker": _element({}, {**_COMMON, "initial_date_time": whole_number}),
    "static_select": _element({}, {**_STATIC, "initial_option": _MENU_OPTION}, any_of=_CHOICES),
    "multi_static_select": _element(
        {}, {**_STATIC, **_MANY, "initial_options": items(_MENU_OPTION, most=100)}, any_of=_CHOICES
    ),
    "users_select": _element({}, {**_COMMON, "initial_user": string(most=255)}),
    "multi_users_select": _element({}, {**_COMMON, **_MANY, "initial_users": items(string(most=255), most=100)}),
    "channels_select": _element(
        {}, {**_COMMON, "initial_channel": string(most=255), "response_url_enabled": flag}
    ),
    "conversations_select": _element(
        {},
        {**_COMMON, "initial_conversation": string(most=255), "default_to_current_conversation": flag,
         "response_url_enabled": flag, "filter": _ANY},
    ),
    "plain_text_input": _element(
        {},
        {**_INPUT, "initial_value": string(most=3000, least=0), "multiline": flag, "min_length": whole_number,
         "max_length": whole_number},
    ),
    "email_text_input": _element({}, {**_INPUT, "initial_value": string(most=3000, least=0)}),
    "url_text_input": _element({}, {**_INPUT, "initial_value": string(most=3000, least=0)}),
    "number_input": _element(
        {"is_decimal_allowed": flag},
        {**_INPUT, "initial_value": string(most=255), "min_value": string(most=255), "max_value": string(most=255)},
    ),
}  # fmt: skip


def _these(*names: str) -> Check:
    return by_type({name: ELEMENTS[name] for name in names})


_PRESSABLE = tuple(name for name in ELEMENTS if name != "image" and not name.endswith("_input"))
_TYPED = tuple(name for name in ELEMENTS if name not in ("image", "button", "overflow"))

_FONT = record({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), flag))
_LEAVES = by_type({
    "text": record({"type": _KIND, "text": string(most=MESSAGE_SIZE)}, {"style": _FONT}),
    "link": record({"type": _KIND, "url": _LINK}, {"text": string(most=3000), "style": _FONT, "unsafe": flag}),
    "emoji": record(
        {"type": _KIND, "name": string(most=255)},
        {"unicode": string(most=255), "skin_tone": whole_number, "style": _FONT},
    ),
    "user": record({"type": _KIND, "user_id": string(most=255)}, {"style": _FONT}),
    "usergroup": record({"type": _KIND, "usergroup_id": string(most=255)}, {"style": _FONT}),
    "channel": record({"type": _KIND, "channel_id": string(most=255)}, {"style": _FONT}),
    "broadcast": record({"type": _KIND, "range": one_of("here", "channel", "everyone")}, {"style": _FONT}),
    "date": record(
        {"type": _KIND, "timestamp": whole_number, "format": string(most=255)},
        {"url": _LINK, "fallback": string(most=3000), "style": _FONT},
    ),
})  # fmt: skip
_RUN = items(_LEAVES, most=1000, least=0)
_RICH_SECTION = record({"type": _KIND, "elements": _RUN})
_RICH = by_type({
    "rich_text_section": _RICH_SECTION,
    "rich_text_quote": record({"type": _KIND, "elements": _RUN}, {"border": whole_number}),
    "rich_text_preformatted": record(
        {"type": _KIND, "elements": _RUN}, {"border": whole_number, "language": string(most=255)}
    ),
    "rich_text_list": record(
        {"type": _KIND, "style": one_of("bullet", "ordered"),
         "elements": items(by_type({"rich_text_section": _RICH_SECTION}), most=1000)},
        {"indent": whole_number, "offset": whole_number, "border": whole_number},
    ),
})  # fmt: skip


def _block(required: Mapping[str, Check], optional: Mapping[str, Check], any_of: tuple[str, ...] = ()) -> Check:
    return record({"type": _KIND, **required}, {"block_id": string(most=255), **optional}, any_of=any_of)


BLOCKS: dict[str, Check] = {
    "actions": _block({"elements": items(_these(*_PRESSABLE), most=25)}, {}),
    "context": _block(
        {"elements": items(by_type({"image": IMAGE, "plain_text": any_text(3000), "mrkdwn": any_text(3000)}), most=10)},
        {},
    ),
    "divider": _block({}, {}),
    "header": _block({"text": plain_text(150)}, {}),
    "image": _block(
        {"alt_text": string(most=2000)},
        {"image_url": _WEB, "slack_file": _FILE, "title": plain_text(2000)},
        any_of=("image_url", "slack_file"),
    ),
    "input": _block(
        {"label": plain_text(2000), "element": _these(*_TYPED)},
        {"hint": plain_text(2000), "optional": flag, "dispatch_action": flag},
    ),
    "markdown": _block({"text": string(most=12_000)}, {}),
    "rich_text": _block({"elements": items(_RICH, most=1000)}, {}),
    "section": _block(
        {},
        {"text": any_text(3000), "fields": items(any_text(2000), most=10), "accessory": _these("image", *_PRESSABLE),
         "expand": flag},
        any_of=("text", "fields"),
    ),
}  # fmt: skip

_BLOCK = by_type(BLOCKS)
_VIEW_FIELDS: dict[str, Check] = {
    "private_metadata": string(most=3000, least=0), "callback_id": string(most=255, least=0),
    "external_id": string(most=255, least=0),
}  # fmt: skip
_VIEW_BODY = items(_BLOCK, most=VIEW_BLOCKS)
_VIEW = by_type({
    "modal": record(
        {"type": _KIND, "title": plain_text(24), "blocks": _VIEW_BODY},
        {**_VIEW_FIELDS, "submit": plain_text(24), "close": plain_text(24), "clear_on_close": flag,
         "notify_on_close": flag, "submit_disabled": flag},
    ),
    "home": record({"type": _KIND, "blocks": _VIEW_BODY}, _VIEW_FIELDS),
})  # fmt: skip


def judge_blocks(blocks: Any) -> list[str]:
    """What Slack would say against these blocks in a message; empty when they are fine."""
    complaints = Complaints()
    items(_BLOCK, most=MESSAGE_BLOCKS, least=0)(blocks, "/blocks", complaints)
    _judge_ids(blocks, "/blocks", complaints)
    return complaints.found


def judge_view(view: Any) -> list[str]:
    """What Slack would say against this modal or Home tab; empty when it is fine."""
    complaints = Complaints()
    _VIEW(view, "/view", complaints)
    if isinstance(view, dict):
        blocks = view.get("blocks")
        _judge_ids(blocks, "/view/blocks", complaints)
        inputs = any(b.get("type") == "input" for b in _objects(blocks))
        if view.get("type") == "modal" and inputs and not view.get("submit"):
            complaints.add("missing required field: submit", "/view")
    return complaints.found


def judge_downloads(blocks: Any, unfetchable: Collection[str]) -> list[str]:
    """The images Slack could not download: it refuses the whole message for one of them."""
    complaints = Complaints()
    for url, at in _images(blocks, "/blocks"):
        if unfetchable and ({"*", url, urlsplit(url).hostname} & set(unfetchable)):
            complaints.add("downloading image failed", at)
    return complaints.found


def size(blocks: Any) -> int:
    """Characters of the blocks as compact JSON."""
    return len(json.dumps(blocks, separators=(",", ":"), ensure_ascii=False))


def elements(blocks: Any) -> Iterator[tuple[Json, Json]]:
    """Every interactive element with the block it stands in."""
    for block in _objects(blocks):
        for element in (*_objects(block.get("elements")), block.get("accessory"), block.get("element")):
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element


def _objects(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _judge_ids(blocks: Any, at: str, complaints: Complaints) -> None:
    seen: set[str] = set()
    for number, block in enumerate(_objects(blocks)):
        block_id = block.get("block_id")
        if block_id is not None and block_id in seen:
            complaints.add(f"`block_id` {block_id!r} already exists", f"{at}/{number}/block_id")
        seen.add(block_id or "")
        actions = [element["action_id"] for _, element in elements([block])]
        for action_id in sorted({a for a in actions if actions.count(a) > 1}):
            complaints.add(f"`action_id` {action_id!r} already exists for this block", f"{at}/{number}")


def _images(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every image_url with the pointer to it."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _images(item, f"{at}/{number}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "image_url" and isinstance(inner, str):
                yield inner, f"{at}/{name}"
            else:
                yield from _images(inner, f"{at}/{name}")
