"""The bodies Slack sends to an app: events, clicks, submitted modals and slash commands."""

import copy
from typing import Any

from sandbox.slack.block_kit import elements
from sandbox.slack.workspace import Channel, Person, Workspace

Json = dict[str, Any]

VERIFICATION_TOKEN = "sandbox-verification-token"  # noqa: S105 - Slack's deprecated field; nothing is opened by it
_INITIAL = {
    "users_select": "initial_user", "multi_users_select": "initial_users", "channels_select": "initial_channel",
    "conversations_select": "initial_conversation", "datepicker": "initial_date", "timepicker": "initial_time",
    "datetimepicker": "initial_date_time",
}  # fmt: skip
_SELECTED = {
    "users_select": "selected_user", "multi_users_select": "selected_users", "channels_select": "selected_channel",
    "conversations_select": "selected_conversation", "datepicker": "selected_date", "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}  # fmt: skip


def event_callback(workspace: Workspace, event: Json) -> Json:
    """The envelope of an event (https://docs.slack.dev/apis/events-api#callback-field)."""
    authorization = {
        "enterprise_id": None, "team_id": workspace.team_id, "user_id": workspace.bot_user_id, "is_bot": True,
        "is_enterprise_install": False,
    }  # fmt: skip
    event_id = workspace.next_id("Ev")
    return {
        "token": VERIFICATION_TOKEN, "team_id": workspace.team_id, "context_team_id": workspace.team_id,
        "context_enterprise_id": None, "api_app_id": workspace.app_id, "event": event, "type": "event_callback",
        "event_id": event_id, "event_time": int(workspace.clock()), "authorizations": [authorization],
        "is_ext_shared_channel": False, "event_context": f"4-{event_id}",
    }  # fmt: skip


def message_event(workspace: Workspace, channel: Channel, stored: Json) -> Json:
    """What the app hears of a new message; one also sent to the channel brings its `root`."""
    event = _bare(stored) | {"channel": channel.channel_id, "event_ts": stored["ts"], "channel_type": channel.kind}
    if stored.get("subtype") == "thread_broadcast":
        event.pop("parent_user_id", None)
        event["root"] = _bare(workspace.shown(channel, channel.messages[stored["thread_ts"]]))
    return event


def changed_event(workspace: Workspace, channel: Channel, message: Json, previous: Json) -> Json:
    """message_changed: an edit, an unfurl, or the tombstone of a deleted parent."""
    teams = {"source_team": workspace.team_id, "user_team": workspace.team_id}
    return _hidden(workspace, channel) | {
        "subtype": "message_changed",
        "message": _bare(message) | teams,
        "previous_message": _bare(previous),
    }


def deleted_event(workspace: Workspace, channel: Channel, previous: Json) -> Json:
    """message_deleted."""
    return _hidden(workspace, channel) | {
        "subtype": "message_deleted",
        "deleted_ts": previous["ts"],
        "previous_message": _bare(previous),
    }


def membership(kind: str, person: Person, channel: Channel, *, team_id: str, inviter: str | None = None) -> Json:
    """member_joined_channel or member_left_channel; private channels of today have the letter C too."""
    event: Json = {
        "type": kind, "user": person.user_id, "channel": channel.channel_id, "channel_type": "C",
        "team": person.team_id or team_id,
    }  # fmt: skip
    return event | ({} if inviter is None else {"inviter": inviter})


def block_actions(workspace: Workspace, person: Person, action: Json, where: Json) -> Json:
    """A click; `where` holds the container and what goes with it (message and channel, or view)."""
    return _interaction(workspace, person) | {
        "type": "block_actions", "state": {"values": {}}, **where, "actions": [action],
    }  # fmt: skip


def view_submission(workspace: Workspace, person: Person, view: Json) -> Json:
    """A modal's submit button."""
    return _interaction(workspace, person) | {"type": "view_submission", "view": view, "response_urls": []}


def view_closed(workspace: Workspace, person: Person, view: Json) -> Json:
    """A modal's close button, where the app wants to hear of it (`notify_on_close`)."""
    return _interaction(workspace, person) | {"type": "view_closed", "view": view, "is_cleared": False}


def command_form(
    workspace: Workspace, person: Person, channel: Channel, *, command: str, text: str, response_url: str
) -> Json:
    """The form of a slash command (https://docs.slack.dev/interactivity/implementing-slash-commands)."""
    return {
        "token": VERIFICATION_TOKEN, "team_id": workspace.team_id, "team_domain": workspace.domain,
        "channel_id": channel.channel_id, "channel_name": channel.name or "directmessage", "user_id": person.user_id,
        "user_name": _handle(person), "command": command, "text": text, "api_app_id": workspace.app_id,
        "is_enterprise_install": "false", "response_url": response_url,
        "trigger_id": workspace.new_trigger(person.user_id),
    }  # fmt: skip


def pressed(workspace: Workspace, blocks: list[Json], *, action_id: str, value: Any) -> Json:
    """The `actions` entry for the element with that action_id (and that value, where several have it)."""
    for block, element in elements(blocks):
        if element["action_id"] == action_id and _may_be(element, value):
            entry = {"type": element["type"], "action_id": action_id, "block_id": block["block_id"]}
            return entry | chosen(element, value) | {"action_ts": workspace.next_ts()}
    known = [f"{element['action_id']}={element.get('value')}" for _, element in elements(blocks)]
    raise LookupError(f"nothing to press is {action_id}={value}; there are {', '.join(known) or 'no elements'}")


def _may_be(element: Json, value: Any) -> bool:
    """Of several buttons, or menus behind three dots, of one name the value says which."""
    if element["type"] == "overflow":
        return value is None or any(option["value"] == value for option in element["options"])
    return element["type"] != "button" or value in (None, element.get("value"))


def chosen(element: Json, value: Any) -> Json:
    """How an element reports what a person chose or typed."""
    kind = element["type"]
    if kind == "button":
        return {name: element[name] for name in ("text", "value", "style") if name in element}
    if kind == "multi_users_select":
        return {_SELECTED[kind]: list(value or ())}
    if kind in _SELECTED:
        return {_SELECTED[kind]: value}
    if not _options(element):
        return {"value": value}
    if kind in ("checkboxes", "multi_static_select"):
        return {"selected_options": [_option(element, one) for one in value or ()]}
    return {"selected_option": None if value is None else _option(element, value)}


def filled_in(view: Json, values: Json) -> Json:
    """The view's state after a person entered `values`, by action_id; LookupError for what the view does not have."""
    state: Json = {}
    inputs = {element["action_id"]: (block, element) for block, element in elements(view["blocks"])}
    if unknown := values.keys() - inputs.keys():
        raise LookupError(f"the view has no {', '.join(sorted(unknown))}; there are {', '.join(inputs)}")
    for action_id, (block, element) in inputs.items():
        if block["type"] == "input" or action_id in values:
            value = values.get(action_id, _initial(element))
            entry = {"type": element["type"]} | chosen(element, value)
            state.setdefault(block["block_id"], {})[action_id] = entry
    return {"values": state}


def _initial(element: Json) -> Any:
    """What stands in an input that nobody touched."""
    if element["type"] in _INITIAL:
        return element.get(_INITIAL[element["type"]])
    if "initial_option" in element:
        return element["initial_option"]["value"]
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    return element.get("initial_value")


def _interaction(workspace: Workspace, person: Person) -> Json:
    handle = _handle(person)
    return {
        "user": {
            "id": person.user_id, "username": handle, "name": handle,
            "team_id": workspace.team_of(person.user_id),
        },
        "api_app_id": workspace.app_id, "token": VERIFICATION_TOKEN,
        "team": {"id": workspace.team_id, "domain": workspace.domain}, "enterprise": None,
        "is_enterprise_install": False, "trigger_id": workspace.new_trigger(person.user_id),
    }  # fmt: skip


def _hidden(workspace: Workspace, channel: Channel) -> Json:
    ts = workspace.next_ts()
    return {
        "type": "message", "hidden": True, "channel": channel.channel_id, "channel_type": channel.kind, "ts": ts,
        "event_ts": ts,
    }  # fmt: skip


def _bare(message: Json) -> Json:
    """A message inside an event: reactions and metadata are not part of it."""
    return {name: copy.deepcopy(value) for name, value in message.items() if name not in ("reactions", "metadata")}


def _handle(person: Person) -> str:
    return person.name.split()[0].lower()


def _options(element: Json) -> list[Json]:
    grouped = [option for group in element.get("option_groups") or () for option in group["options"]]
    return [*(element.get("options") or ()), *grouped]


def _option(element: Json, value: Any) -> Json:
    for option in _options(element):
        if option["value"] == value:
            return option
    raise LookupError(f"{element['action_id']} has no option {value}")
