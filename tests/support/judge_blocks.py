"""Judges messages and windows for Slack by code that this project did not write, and by a few documented rules.

slack_sdk's own models validate each block. slackblocks rebuilds each with its classes, which enforce Slack's documented
limits; what it gives back changed was not acceptable as it stood. The rules are those that neither of them has.
"""

import inspect
import json
import logging
import re
from typing import Any

import slackblocks as sb
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View as SdkView

logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)  # it warns of its own limits before it raises

ACTIONS = frozenset(
    [
        "reply_retry",
        "reply_send",
        "reply_send_now",
        "reply_keep",
        "reply_discard",
        "reply_arrived",
        "reply_send_again",
        "reply_open",
        "contact_ok",
        "contact_ask",
        "lead_claim",
        "lead_release",
        "lead_handover",
        "lead_elsewhere",
        "lead_won",
        "lead_lost",
        "lead_reopen",
        "lead_saved",
        "saved_add",
        "saved_edit",
        "saved_delete",
        "first_open",
        "lead_snooze",
        "lead_reveal",
        "review_reveal",
        "reveal_next",
        "reveal_back",
        "lead_open",
        "lead_pages",
        "keeper_me",
        "connect_open",
        "connect_again",
        "targeting_undo",
        "webhook_repair",
        "webhook_test",
        "targeting_resume",
        "phone_add",
        "phone_rename",
        "phone_remove",
        "phone_import",
        "found_page",
        "found_page_back",
        "home_page",
        "home_page_back",
        "home_refresh",
        "channel_leads_here",
        "route_add",
        "route_try",
        "route_next",
        "route_previous",
        "home_settings",
        "home_status",
    ]
)
"""The buttons there are, by the project's wire contract."""


class _Date(sb.RichText):
    """slackblocks has no class for it; the SDK judges it."""

    def __init__(self, timestamp: int, format: str, fallback: str) -> None:  # noqa: A002 -- Slack's name for it
        self._given = {"type": "date", "timestamp": timestamp, "format": format, "fallback": fallback}

    def _resolve(self) -> dict[str, Any]:
        return self._given


class _Group(sb.RichTextUserGroup):
    """slackblocks has another name for what Slack calls usergroup_id; the SDK judges it."""

    def __init__(self, usergroup_id: str) -> None:
        self._given = {"type": "usergroup", "usergroup_id": usergroup_id}

    def _resolve(self) -> dict[str, Any]:
        return self._given


class _Menu(sb.StaticSelectMenu):
    """slackblocks wants a whole group as the initial option where there are groups; Slack wants one of their options."""

    __signature__ = inspect.signature(sb.StaticSelectMenu)

    def __init__(self, *, initial_option: sb.Option | None = None, **given: Any) -> None:
        self._in_group = initial_option if given.get("option_groups") else None
        super().__init__(initial_option=None if self._in_group else initial_option, **given)

    def _resolve(self) -> dict[str, Any]:
        found: dict[str, Any] = super()._resolve()
        return found if self._in_group is None else found | {"initial_option": self._in_group._resolve()}


_KINDS = {
    "section": sb.SectionBlock,
    "header": sb.HeaderBlock,
    "context": sb.ContextBlock,
    "actions": sb.ActionsBlock,
    "image": sb.ImageBlock,
    "input": sb.InputBlock,
    "rich_text": sb.RichTextBlock,
    "rich_text_section": sb.RichTextSection,
    "rich_text_list": sb.RichTextList,
    "divider": sb.DividerBlock,
    "rich_text_quote": sb.RichTextQuote,
    "rich_text_preformatted": sb.RichTextCodeBlock,
    "button": sb.Button,
    "plain_text_input": sb.PlainTextInput,
    "multi_users_select": sb.UserMultiSelectMenu,
    "users_select": sb.UserSelectMenu,
    "conversations_select": sb.ConversationSelectMenu,
    "static_select": _Menu,
    "radio_buttons": sb.RadioButtonGroup,
    "multi_static_select": sb.StaticMultiSelectMenu,
    "overflow": sb.OverflowMenu,
    "option": sb.Option,
    "option_group": sb.OptionGroup,
    "filter": sb.ConversationFilter,
    "confirm": sb.ConfirmationDialogue,
}
_LEAVES = {
    "text": sb.RichText,
    "link": sb.RichTextLink,
    "emoji": sb.RichTextEmoji,
    "user": sb.RichTextUser,
    "usergroup": _Group,
    "channel": sb.RichTextChannel,
    "date": _Date,
}


def judge(payload: dict[str, Any]) -> list[str]:
    """What is wrong with a message (`text`, `blocks`), a window (`type: modal`) or a Home tab (`type: home`)."""
    blocks = payload["blocks"]
    found = [finding for number, block in enumerate(blocks) for finding in _block(block, f"/{number}")]
    rules = {"modal": _modal, "home": _home}.get(payload.get("type", ""), _message)
    return found + rules(payload)


def _block(block: dict[str, Any], where: str) -> list[str]:
    found = []
    try:
        parsed = SdkBlock.parse(block)
        if parsed is None or type(parsed) is SdkBlock:
            raise ValueError("a block that the SDK does not know")  # noqa: TRY301 -- joins the SDK's own refusals
        parsed.to_dict()
    except Exception as error:  # noqa: BLE001 -- whatever the library says against it is a finding
        found.append(f"{where} slack_sdk: {error}")
    try:
        rebuilt = _rebuilt(block)._resolve()
        found += [f"{where}{at}: slackblocks would not leave it so" for at in _changed(block, rebuilt)]
    except Exception as error:  # noqa: BLE001 -- the same
        found.append(f"{where} slackblocks: {type(error).__name__}: {error}")
    return found + [f"{where} {rule}" for rule in _rules(block)]


def _rebuilt(value: Any, *, inside_rich_text: bool = False) -> Any:
    """The same object made with slackblocks' classes."""
    if isinstance(value, list):
        return [_rebuilt(item, inside_rich_text=inside_rich_text) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type") or _untyped(value)
    if kind in ("plain_text", "mrkdwn"):
        return sb.Text(value["text"], type_=sb.TextType(kind), emoji=value.get("emoji", False))
    made = _LEAVES[kind] if inside_rich_text and kind in _LEAVES else _KINDS[kind]
    known = inspect.signature(made).parameters
    given = {key: part for key, part in value.items() if key != "type"}
    given |= given.pop("style") if isinstance(given.get("style"), dict) else {}
    if unknown := given.keys() - known.keys():
        raise TypeError(f"{kind} has no {sorted(unknown)}")
    return made(**{key: _rebuilt(part, inside_rich_text=kind.startswith("rich_text")) for key, part in given.items()})


def _untyped(value: dict[str, Any]) -> str:
    """Which of the objects without a type this is."""
    if "confirm" in value:
        return "confirm"
    return "option_group" if "options" in value else "filter" if "include" in value else "option"


def _changed(given: Any, made: Any, at: str = "") -> list[str]:
    if isinstance(given, dict) and isinstance(made, dict):
        return [
            finding
            for key, value in given.items()
            if value
            for finding in _changed(value, made.get(key), f"{at}/{key}")
        ]
    if isinstance(given, list) and isinstance(made, list) and len(given) == len(made):
        return [
            finding
            for number, pair in enumerate(zip(given, made, strict=True))
            for finding in _changed(*pair, f"{at}/{number}")
        ]
    return [] if given == made else [at]


def _rules(block: dict[str, Any]) -> list[str]:
    """Rules of docs.slack.dev/reference/block-kit that hold inside one block, and our own for buttons."""
    found = ["has an empty text" for text in _values(block, "text") if text == ""]
    found += ["has an empty list" for elements in _values(block, "elements") if elements == []]
    if block["type"] == "image":
        found += [] if block["image_url"].startswith("https://") else ["shows a picture that is not at https"]
    buttons = [element for element in block.get("elements", []) if element.get("type") in ("button", "overflow")]
    if len({button["action_id"] for button in buttons}) != len(buttons):
        found.append("has two buttons with one action_id")
    for button in buttons:
        if button["action_id"] not in ACTIONS:
            found.append(f"has a button that the contract does not know: {button['action_id']}")
        values = _values(button, "value")
        if "url" not in button and not (values and all(_is_ours(value) for value in values)):
            found.append("has a button whose value is not an id of ours")
    return found


def _is_ours(value: str) -> bool:
    """An id of ours, the pages of several lists, or a page of what was looked for: that is sealed, where it was typed."""
    return value.isdecimal() or re.fullmatch(r"\d+(\.\d+){2}|[a-z]+:\d+:[\w=-]*", value) is not None


def _values(value: Any, key: str) -> list[Any]:
    """Every value under a key, however deep."""
    if isinstance(value, list):
        return [found for item in value for found in _values(item, key)]
    if not isinstance(value, dict):
        return []
    here = [value[key]] if key in value else []
    return here + [found for item in value.values() for found in _values(item, key)]


def _message(payload: dict[str, Any]) -> list[str]:
    found = []
    text, blocks = payload["text"], payload["blocks"]
    if not 1 <= len(blocks) <= 50:
        found.append(f"{len(blocks)} blocks, where 1 to 50 may be")
    if not 1 <= len(text) <= 4_000:
        found.append(f"a text of {len(text)} characters")
    if blocks and "block_id" in blocks[0]:
        found.append("the first block has a block_id, where the delivery id belongs")
    size = len(json.dumps(blocks, separators=(",", ":"), ensure_ascii=False))
    if size >= 12_000:  # Slack was seen to answer msg_blocks_too_long from about 13,200: slackapi/bolt-js issue 2509
        found.append(f"{size} characters of blocks")
    try:
        sb.Message(channel="C0", text=text, blocks=[sb.DividerBlock() for _ in blocks])
    except sb.InvalidUsageError as error:
        found.append(f"slackblocks: {error}")
    return found


def _home(view: dict[str, Any]) -> list[str]:
    """Limits of docs.slack.dev/reference/methods/views.publish and of docs.slack.dev/reference/views."""
    found = [] if view.keys() == {"type", "blocks"} else [f"has {sorted(view)}"]
    size = len(json.dumps(view, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass"))
    found += [f"{size} bytes"] if size > 250_000 else []
    return found + ([] if 1 <= len(view["blocks"]) <= 100 else [f"{len(view['blocks'])} blocks"])


def _modal(view: dict[str, Any]) -> list[str]:
    found = []
    try:
        SdkView(**view).to_dict()
        parts = {key: _rebuilt(view[key]) for key in ("title", "close", "submit") if key in view}
        named = {key: view[key] for key in ("callback_id", "private_metadata") if key in view}
        sb.ModalView(blocks=[sb.DividerBlock() for _ in view["blocks"]], **parts, **named)
    except Exception as error:  # noqa: BLE001 -- whatever a library says against it is a finding
        found.append(str(error))
    if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
        found.append("an input without a submit button")
    return found
