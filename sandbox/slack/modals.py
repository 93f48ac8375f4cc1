"""views.*: modals that answer a click, and each person's Home tab (https://docs.slack.dev/surfaces/modals)."""

from sandbox.slack import access
from sandbox.slack.arguments import Arguments, Json, RefusedError
from sandbox.slack.block_kit import judge_view
from sandbox.slack.chat import with_ids
from sandbox.slack.workspace import TRIGGER_SECONDS, Workspace

MOST_STACKED = 3


def open_view(workspace: Workspace, args: Arguments) -> Json:
    """views.open; the trigger of a click opens one modal, within 3 s."""
    given = _given(args, kind="modal")
    view = make_view(workspace, given)
    user_id = _exchange(workspace, args.text("trigger_id"))
    workspace.views[view["id"]] = (user_id, view)
    workspace.changed.fire()
    return {"view": view}


def push_view(workspace: Workspace, args: Arguments) -> Json:
    """views.push: on top of the modal that the click was in; three at most stand on each other."""
    given = _given(args, kind="modal")
    user_id = _exchange(workspace, args.text("trigger_id"))
    below = [view for owner, view in workspace.views.values() if owner == user_id]
    if not below:
        raise RefusedError("not_found")
    if len(below) >= MOST_STACKED:
        raise RefusedError("push_limit_reached")
    view = make_view(workspace, given)
    view |= {"root_view_id": below[0]["id"], "previous_view_id": below[-1]["id"]}
    workspace.views[view["id"]] = (user_id, view)
    workspace.changed.fire()
    return {"view": view}


def update_view(workspace: Workspace, args: Arguments) -> Json:
    """views.update by view_id or external_id; a `hash` that is not the present one is a conflict."""
    user_id, old = _find(workspace, args)
    if "hash" in args and args.text("hash") != old["hash"]:
        raise RefusedError("hash_conflict")
    view = make_view(workspace, _given(args, kind="modal"), replaces=old)
    workspace.views[view["id"]] = (user_id, view)
    workspace.changed.fire()
    return {"view": view}


def publish_view(workspace: Workspace, args: Arguments) -> Json:
    """views.publish: a person's Home tab."""
    person = access.person(workspace, args, name="user_id")
    view = make_view(workspace, _given(args, kind="home"), replaces=workspace.homes.get(person.user_id))
    workspace.homes[person.user_id] = view
    workspace.changed.fire()
    return {"view": view}


def make_view(workspace: Workspace, given: Json, *, replaces: Json | None = None) -> Json:
    """The view as Slack stores and returns it."""
    view_id = replaces["id"] if replaces else workspace.next_id("V")
    root_id, previous_id = (replaces["root_view_id"], replaces["previous_view_id"]) if replaces else (view_id, None)
    return {
        "private_metadata": "", "callback_id": "", "external_id": "", "title": None, "submit": None, "close": None,
        "clear_on_close": False, "notify_on_close": False, **given,
        "id": view_id, "root_view_id": root_id, "previous_view_id": previous_id, "team_id": workspace.team_id,
        "app_id": workspace.app_id, "app_installed_team_id": workspace.team_id, "bot_id": workspace.bot_id,
        "hash": f"{workspace.next_ts()}.{view_id}", "state": {"values": {}},
        "blocks": with_ids(workspace, given["blocks"]),
    }  # fmt: skip


def judged(view: Json) -> Json:
    """A view in the answer to a submitted modal; ValueError for one that Slack would not show."""
    if complaints := judge_view(view):
        raise ValueError(f"Slack does not show this view: {'; '.join(complaints)}")
    return view


def _given(args: Arguments, *, kind: str) -> Json:
    view = args.structure("view", error="invalid_arguments")
    if view is None:
        raise RefusedError("invalid_arguments", ("missing required field: view",))
    if complaints := judge_view(view):
        raise RefusedError("invalid_arguments", tuple(complaints))
    if view["type"] != kind:
        raise RefusedError("invalid_arguments", (f"unsupported type: {view['type']} [json-pointer:/view/type]",))
    checked: Json = view
    return checked


def _exchange(workspace: Workspace, trigger_id: str) -> str:
    """The person whose click this trigger was."""
    trigger = workspace.triggers.get(trigger_id)
    if trigger is None:
        raise RefusedError("invalid_trigger_id")
    if workspace.clock() - trigger.made_at > TRIGGER_SECONDS:
        raise RefusedError("expired_trigger_id")
    if trigger.used:
        raise RefusedError("exchanged_trigger_id")
    trigger.used = True
    return trigger.user_id


def _find(workspace: Workspace, args: Arguments) -> tuple[str, Json]:
    for view_id, (user_id, view) in workspace.views.items():
        if view_id == args.text("view_id") or (
            "external_id" in args and view["external_id"] == args.text("external_id")
        ):
            return user_id, view
    raise RefusedError("not_found")
