"""A request of Slack's before Bolt sees it: read, rid of what no database takes, and of the shape that listeners rely on.

What Slack signed is Slack's, but not every shape of it is foreseen. What is odd where nobody looks passes; what is odd
where a listener reads it is refused here, and never an error of ours. See docs.slack.dev/reference/interaction-payloads.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, ValidationError
from slack_bolt.async_app import AsyncBoltRequest
from starlette.datastructures import Headers

from webhooks.problems import Refused
from webhooks.thumbtack.payloads.text import storable

JSON = "application/json"

MAYBE_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""How JSON writes what no database takes, and pictures too: only then the whole is gone through."""

FROM_CONTEXT = ("team_id", "enterprise_id", "user_id", "channel_id")
"""What Bolt finds wherever a payload may hold it, and listeners look rows up by."""

PRESSED = "block_actions"
OF_PEOPLE = frozenset({PRESSED, "view_submission", "view_closed", "shortcut", "message_action", "block_suggestion"})
"""What a person did, by `type`; of all else only that is heard which a listener reads with care."""
OF_VIEWS = frozenset({"view_submission", "view_closed"})


class _Part(BaseModel):
    """A part of a payload: only what is named here is looked at."""

    model_config = ConfigDict(strict=True)


class _Somebody(_Part):
    id: str


class _Option(_Part):
    value: str | None = None


class _Input(_Part):
    value: str | None = None
    selected_option: _Option | None = None
    selected_options: list[_Option] | None = None
    selected_user: str | None = None
    selected_users: list[str] | None = None
    selected_channel: str | None = None
    selected_conversation: str | None = None


class _Action(_Input):
    action_id: str
    block_id: str | None = None


class _State(_Part):
    values: dict[str, dict[str, _Input]] | None = None


class _Block(_Part):
    block_id: str | None = None


class _View(_Part):
    type: str
    id: str | None = None
    callback_id: str | None = None
    private_metadata: str | None = None
    hash: str | None = None
    state: _State | None = None
    blocks: list[_Block] | None = None


class _Place(_Part):
    type: str | None = None
    channel_id: str | None = None
    message_ts: str | None = None
    thread_ts: str | None = None
    is_ephemeral: bool | None = None


class _Interaction(_Part):
    user: _Somebody
    channel: _Somebody | None = None
    container: _Place | None = None
    view: _View | None = None
    actions: list[_Action] | None = None
    response_url: str | None = None
    trigger_id: str | None = None


def read(body: bytes, headers: Headers) -> AsyncBoltRequest:
    """The request as Bolt wants it; raises Refused where it cannot be read (`json`) or is of another shape (`shape`)."""
    try:
        payload = _payload(body, headers.get("content-type", ""))
    except (ValueError, RecursionError):
        raise Refused("json") from None
    if not isinstance(payload, dict):
        raise Refused("json")
    return asked(payload, headers)


def asked(payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> AsyncBoltRequest:
    """The same of what was read already; raises Refused."""
    if not _has_shape(payload):
        raise Refused("shape")
    try:
        # Bolt's way for payloads that are read: its own reading takes a command with the word "payload" for a button.
        request = AsyncBoltRequest(body=payload, headers=dict(headers or {}), mode="socket_mode")  # type: ignore[arg-type]
    except (ValueError, TypeError, AttributeError, KeyError):
        raise Refused("shape") from None
    if not all(isinstance(request.context.get(name), str | None) for name in FROM_CONTEXT):
        raise Refused("shape")
    return request


def _payload(body: bytes, content_type: str) -> Any:
    """An event is JSON; a command is a form; a button or a window is JSON in a field of a form."""
    text = body.decode()
    if content_type.partition(";")[0].strip().lower() == JSON or text.startswith("{"):
        return _loaded(text)
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return _loaded(fields["payload"]) if "payload" in fields else cleaned(fields)


def _loaded(text: str) -> Any:
    value = json.loads(text)
    return cleaned(value) if MAYBE_UNSTORABLE.search(text) else value


def cleaned(value: Any) -> Any:
    """The same without what a database cannot hold."""
    match value:
        case str():
            return storable(value)
        case list():
            return [cleaned(item) for item in value]
        case dict():
            return {storable(name): cleaned(item) for name, item in value.items()}
        case _:
            return value


def _has_shape(payload: Mapping[str, Any]) -> bool:
    kind = payload.get("type")
    if not isinstance(kind, str | None) or not isinstance(payload.get("event", {}), dict):
        return False
    if kind not in OF_PEOPLE:
        return True
    try:
        found = _Interaction.model_validate(payload)
    except ValidationError:
        return False
    return bool(found.actions) if kind == PRESSED else found.view is not None or kind not in OF_VIEWS
