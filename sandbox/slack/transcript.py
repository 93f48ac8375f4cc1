"""The workspace as a person would read it, for the demo, for curl, and for a test that waited in vain."""

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.slack.web_api import Call
from sandbox.slack.workspace import Channel, Workspace

Json = dict[str, Any]

_LAST_CALLS = 12


def transcript(workspace: Workspace, calls: Sequence[Call] = ()) -> str:
    """Every conversation with its threads, what single people see, and the last calls."""
    return "\n".join([*_conversations(workspace), *_private(workspace), *_calls(calls)])


def _conversations(workspace: Workspace) -> Iterator[str]:
    for channel in workspace.channels.values():
        name = f"#{channel.name}" if channel.name else f"direct message with {_name(workspace, channel.direct_with)}"
        yield f"{name} ({channel.channel_id}{', archived' if channel.archived else ''})"
        for message in channel.shown():
            if message.get("subtype") == "thread_broadcast":
                yield f"  {_line(workspace, message)}  (also in the thread {message['thread_ts']})"
                continue
            yield f"  {_line(workspace, message)}"
            yield from (f"      {_line(workspace, reply)}" for reply in channel.thread(message["ts"])[1:])


def _private(workspace: Workspace) -> Iterator[str]:
    for user_id, whispers in workspace.ephemerals.items():
        for whisper in whispers:
            yield f"only {_name(workspace, user_id)} sees, in {whisper['channel']}: {_line(workspace, whisper)}"
    for user_id, view in workspace.views.values():
        yield f"{_name(workspace, user_id)} has a modal open: {view['callback_id'] or view['title']['text']}"
    for user_id in workspace.homes:
        yield f"{_name(workspace, user_id)} has a Home tab"


def _calls(calls: Sequence[Call]) -> Iterator[str]:
    if calls:
        yield f"the last of {len(calls)} calls:"
    for call in calls[-_LAST_CALLS:]:
        wish = " ".join(f"{name}={str(value)[:60]!r}" for name, value in call.args.items() if name != "blocks")
        yield f"  {call.method} {'ok' if call.ok else call.error}{'' if call.status else ' (answer lost)'} {wish}"


def _line(workspace: Workspace, message: Json) -> str:
    marks = " ".join(f":{r['name']}:" for r in message.get("reactions", ()))
    extras = "".join((f"  [{marks}]" if marks else "", "  (edited)" if "edited" in message else ""))
    text = message["text"].replace("\n", "\n" + " " * 10)
    return f"{message['ts']} {_name(workspace, message.get('user'))}: {text}{extras}"


def _name(workspace: Workspace, user_id: str | None) -> str:
    person = workspace.people.get(user_id or "")
    return person.name if person else str(user_id)


def readable(workspace: Workspace, channel: Channel) -> Json:
    """A channel's threads as JSON with the names of people, for `GET /slack/control/channels/{channel}`."""

    def line(message: Json) -> Json:
        shown: Json = {"ts": message["ts"], "who": _name(workspace, message.get("user")), "text": message["text"]}
        if message.get("reactions"):
            shown["reactions"] = [reaction["name"] for reaction in message["reactions"]]
        shown |= {name: message[name] for name in ("subtype", "edited", "blocks") if name in message}
        return shown

    threads = [
        line(message) | {"thread": [line(reply) for reply in channel.thread(message["ts"])[1:]]}
        for message in channel.shown()
    ]
    return {"id": channel.channel_id, "name": channel.name, "archived": channel.archived, "threads": threads}
