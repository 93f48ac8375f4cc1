"""How leads, messages and reviews get here from v4: each business's webhook on the status page, and what came of mending it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from bot.blocks.kit import Block, Element, actions, button, icon, line, moment, rich, small_plain, words
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.posts import Post
from storage.models import Business, Webhook

REPAIR, TEST = "webhook_repair", "webhook_test"
"""The action_ids; their value is our id of the business."""

EVENTS: Mapping[str, str] = MappingProxyType(
    {"NegotiationCreatedV4": "leads", "MessageCreatedV4": "messages", "ReviewCreatedV4": "reviews"}
)
"""What a webhook of ours is for, by Thumbtack's names ("Manage Webhooks")."""

_NAME, _DETAIL, _SHOWN = 80, 500, 5


class Found(Enum):
    """How Thumbtack's list showed our webhook before it was set right."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


class Cannot(StrEnum):
    """Why a webhook is not set or tried, beside the codes of Thumbtack's answers (webhooks.thumbtack.errors)."""

    DELETED = "deleted"
    NO_ADDRESS = "no_address"
    NO_WEBHOOK = "no_webhook"
    NOT_CONNECTED = "not_connected"
    OTHER_ENVIRONMENT = "other_environment"
    RECONNECT = "reconnect"
    SCOPE_MISSING = "scope_missing"


@dataclass(frozen=True, kw_only=True)
class WebhookView:
    """The webhook of a business that is connected to v4, as it was seen last.

    `url`: where it is to lead, None where PUBLIC_URL is not set; `lacks`: the scopes that were not granted for it;
    `may_press`: whether who looks may have it set right.
    """

    row: Webhook | None
    url: str | None
    lacks: Sequence[str]
    may_press: bool


def named(event_types: Sequence[str]) -> list[str]:
    """Events as people call them, ours first."""
    ours = [word for name, word in EVENTS.items() if name in event_types]
    others = [shorten(visible(name) or "?", _NAME) for name in event_types if name not in EVENTS]
    return [*ours, *others[:_SHOWN]]


# On the status page


def shown(view: WebhookView) -> list[Element]:
    """Its line on the page: what comes by it and when something last came, or what is wrong with it."""
    row = view.row
    if view.lacks:
        told = f" No webhook: it was not allowed ({', '.join(view.lacks)}). Type /thumbtack connect and allow it."
        return [icon("no_entry_sign"), words(told)]
    if view.url is None:
        return [icon("no_entry_sign"), words(" No webhook: PUBLIC_URL is not set, so Thumbtack cannot reach us.")]
    if row is None or row.thumbtack_id is None:
        return _not_there(row)
    if wrong := _wrong(row, view.url):
        return [icon("warning"), words(f" Webhook: {wrong}. "), *_last(row)]
    return [words(f"Webhook: {', '.join(named(row.event_types))}. "), *_last(row)]


def _not_there(row: Webhook | None) -> list[Element]:
    if row is None:
        return [icon("warning"), words(" No webhook yet: nothing comes from v4 by itself.")]
    if row.reason is None:
        return [words("Webhook: being made.")]
    return [icon("warning"), words(f" No webhook yet. {_why(row.reason)}")]


def _wrong(row: Webhook, url: str) -> str | None:
    if not row.is_enabled:
        return "paused at Thumbtack"
    if row.url != url:
        return "it leads to another address than PUBLIC_URL"
    missing = [word for name, word in EVENTS.items() if name not in row.event_types]
    if missing:
        return f"{', '.join(named(row.event_types)) or 'nothing'} only; {', '.join(missing)} do not come"
    return None


def _last(row: Webhook) -> list[Element]:
    if row.last_delivery_at is None:
        return [words("Nothing came by it yet.")]
    return [words("Last delivery "), moment(row.last_delivery_at), words(".")]


def buttons(view: WebhookView, business_id: int) -> list[Block]:
    """What can be done about it, for who may."""
    if not view.may_press or view.lacks or view.url is None:
        return []
    is_there = view.row is not None and view.row.thumbtack_id is not None
    repair = button(REPAIR, "Check and repair webhook" if is_there else "Make webhook", business_id)
    return [actions([repair, *([button(TEST, "Send test lead", business_id)] if is_there else [])])]


# Answers


def asked(business: Business, *, action_id: str) -> Post:
    """It was pressed."""
    what = "look at its webhook" if action_id == REPAIR else "send its test lead"
    return _about(business, f": I ask Thumbtack to {what}, and tell you here.", "hourglass_flowing_sand")


def gone() -> Post:
    """The business is not known any more."""
    told = "This business is not known here any more. Type /thumbtack status to see what is."
    return Post(text=told, blocks=[rich(line(icon("information_source"), words(f" {told}")))])


def stands(business: Business, found: Found, event_types: Sequence[str]) -> Post:
    """The webhook stands as it should."""
    what = ", ".join(named(event_types))
    match found:
        case Found.RIGHT:
            return _about(business, f": its webhook is right. Thumbtack brings {what}.", "white_check_mark")
        case Found.WRONG:
            return _about(business, f": its webhook was repaired. Thumbtack brings {what}.", "wrench")
        case Found.MISSING:
            return _about(business, f": its webhook was made. Thumbtack brings {what}.", "white_check_mark")


def tested(business: Business) -> Post:
    """Thumbtack was asked for its test lead."""
    post = _about(business, ": Thumbtack sends its test lead. A card marked TEST comes within a minute.", "test_tube")
    hint = "If none comes, press Check and repair webhook in /thumbtack status, and look at Recent deliveries at Thumbtack."
    return Post(text=post.text, blocks=[*post.blocks, small_plain(hint)])


def waits(business: Business) -> Post:
    """Thumbtack does not answer."""
    return _about(
        business, ": Thumbtack does not answer just now. I try again for ten minutes.", "hourglass_flowing_sand"
    )


def cannot(
    business: Business, reason: str, *, scopes: Sequence[str], detail: str | None = None, of_test: bool = False
) -> Post:
    """It was not done, and what to do. `detail`: Thumbtack's own words; `of_test`: it was to send its test lead."""
    why = _SCOPES.format(", ".join(scopes)) if reason == Cannot.SCOPE_MISSING else _why(reason)
    what = "its test lead was not sent" if of_test else "its webhook was not set"
    post = _about(business, f": {what}. {why}", "x")
    said = visible(detail)
    says = [small_plain(f"Thumbtack says: {shorten(said, _DETAIL)}")] if said else []
    return Post(text=post.text, blocks=[*post.blocks, *says])


def _about(business: Business, told: str, emoji: str) -> Post:
    name = shorten(visible(business.name) or f"Business {business.thumbtack_id}", _NAME)
    return Post(
        text=escape(f"{name}{told}"), blocks=[rich(line(icon(emoji), words(" "), words(name, bold=True), words(told)))]
    )


def _why(reason: str) -> str:
    return _WHY.get(reason, "Something went wrong here: a keeper finds it in the log.")


_SCOPES = "It was not allowed ({}). Type /thumbtack connect and allow it."
_WHY: Mapping[str, str] = MappingProxyType(
    {
        Cannot.DELETED: "It was deleted at Thumbtack.",
        Cannot.NO_ADDRESS: "Thumbtack cannot reach us: set PUBLIC_URL and start again.",
        Cannot.NO_WEBHOOK: "There is no webhook yet: press Make webhook in /thumbtack status first.",
        Cannot.NOT_CONNECTED: "The business is not connected to v4. Type /thumbtack connect.",
        Cannot.OTHER_ENVIRONMENT: "The business belongs to another environment of Thumbtack's than THUMBTACK_ENVIRONMENT.",
        Cannot.RECONNECT: "Thumbtack no longer accepts the connection. Type /thumbtack connect.",
        Cannot.SCOPE_MISSING: "It was not allowed. Type /thumbtack connect and allow webhooks.",
        "rejected": "Thumbtack refuses it.",
        "rate_limited": "Thumbtack asks us to slow down. Try again later.",
        "unavailable": "Thumbtack cannot be reached. Try again later.",
        "outcome_unknown": "Thumbtack's answers are lost on their way. Try again later.",
        "unexpected_response": "Thumbtack answers something that we do not understand. Try again later.",
    }
)
