"""What members of the workspace do, each action brought to the bot as Slack brings it."""

import copy
import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.slack import payloads
from sandbox.slack.composing import Composer
from sandbox.slack.delivery import Answer, Courier, Delivery, event_delivery, form_delivery, interaction_delivery
from sandbox.slack.modals import judged, make_view
from sandbox.slack.response_urls import respond
from sandbox.slack.workspace import Channel, Json, Workspace


class People:
    """Acts as people (and as another app's bot); each method returns what the bot answered.

    Who acts where they cannot (no such channel, message or button) gets a LookupError or ValueError with a sentence.
    A bot that is not in the channel hears nothing: the answer has no status then.
    """

    def __init__(self, workspace: Workspace, courier: Courier) -> None:
        self.workspace = workspace
        self.courier = courier
        self.answers: list[Answer] = []

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        files: Sequence[str | Json] = (),
        blocks: list[Json] | None = None,
        me: bool = False,
    ) -> Answer:
        """A person types `text` (in a thread; `broadcast`: also to the channel; `me`: as /me; `files`: names).

        Typed are :emoji: or the picture, *bold*, `> quote`, and mentions as <@U0BEN>, <#C0LEADS>, <!subteam^S0CREW>.
        """
        where = self._where(user, channel)
        if thread_ts is not None:
            self._message(where, thread_ts)
        message = {"user": user, "client_msg_id": str(uuid.uuid4()), **self._composed(text, blocks)}
        if files:
            message |= {"subtype": "file_share", "files": self._files(user, files), "upload": False}
        if me:
            message = {"user": user, "subtype": "me_message", "text": message["text"]}
        stored = self.workspace.post(where, message, thread_ts=thread_ts, broadcast=broadcast)
        return await self._tell(where, payloads.message_event(self.workspace, where, stored), ts=stored["ts"])

    async def edit(self, channel: str, ts: str, text: str) -> Answer:
        """The writer of a message changes its text."""
        where = self.workspace.channel(channel)
        stored = self._message(where, ts)
        previous = copy.deepcopy(stored)
        stored |= self._composed(text, None)
        stored["edited"] = {"user": stored["user"], "ts": f"{int(self.workspace.clock())}.000000"}
        return await self._changed(where, stored, previous)

    async def delete(self, channel: str, ts: str) -> Answer:
        """The writer of a message deletes it; a parent with replies leaves a tombstone."""
        where = self.workspace.channel(channel)
        previous = copy.deepcopy(self._message(where, ts))
        tombstone = self.workspace.remove(where, ts)
        if tombstone is not None:
            return await self._changed(where, tombstone, previous)
        return await self._tell(where, payloads.deleted_event(self.workspace, where, previous), ts=ts)

    async def unfurl(self, channel: str, ts: str, url: str = "https://www.example.com/") -> Answer:
        """Slack adds a preview of a link: message_changed, though nobody changed the text."""
        where = self.workspace.channel(channel)
        stored = self._message(where, ts)
        previous = copy.deepcopy(stored)
        stored["attachments"] = [{"id": 1, "from_url": url, "original_url": url, "title": "Example", "fallback": url}]
        return await self._changed(where, stored, previous)

    async def join(self, user: str, channel: str) -> Answer:
        """A person joins the channel: member_joined_channel, and a message with the subtype channel_join."""
        where = self.workspace.channel(channel)
        if user not in where.members:
            await self.enter(user, where)
        message = {"user": user, "subtype": "channel_join", "text": f"<@{user}> has joined the channel"}
        stored = self.workspace.post(where, message)
        return await self._tell(where, payloads.message_event(self.workspace, where, stored), ts=stored["ts"])

    async def enter(self, user: str, where: Channel, *, inviter: str | None = None) -> Answer:
        """Somebody becomes a member of a channel: member_joined_channel."""
        person = self.workspace.person(user)
        where.members.append(person.user_id)
        self.workspace.changed.fire()
        joined = payloads.membership(
            "member_joined_channel", person, where, team_id=self.workspace.team_id, inviter=inviter
        )
        ts = self.workspace.next_ts()
        return await self._tell(where, joined | {"event_ts": ts}, ts=ts)

    async def bot_says(self, channel: str, text: str, *, thread_ts: str | None = None, classic: bool = False) -> Answer:
        """Another app's bot posts; a `classic` one has the subtype bot_message and no user."""
        where = self.workspace.channel(channel)
        author: Json = {"bot_id": "B0OTHER", "app_id": "A0OTHER"}
        author |= {"subtype": "bot_message", "username": "otherbot"} if classic else {"user": "U0OTHERBOT"}
        stored = self.workspace.post(where, author | self._composed(text, None), thread_ts=thread_ts)
        return await self._tell(where, payloads.message_event(self.workspace, where, stored), ts=stored["ts"])

    async def press(self, user: str, channel: str, ts: str, action_id: str, value: Any = None) -> Answer:
        """A person presses a button (or chooses `value`) in a message, or in one that only they see.

        Where several buttons share the action_id, `value` says which.
        """
        where = self.workspace.channel(channel)
        whisper = next((m for m in self.workspace.ephemerals[user] if m["ts"] == ts), None)
        message = whisper or self._message(where, ts)
        action = payloads.pressed(self.workspace, message.get("blocks", []), action_id=action_id, value=value)
        container: Json = {
            "type": "message", "message_ts": ts, "channel_id": where.channel_id, "is_ephemeral": whisper is not None,
        }  # fmt: skip
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        source: Json = {"container": container, "channel": {"id": where.channel_id, "name": where.name}}
        if whisper is None:
            source["message"] = self.workspace.shown(where, message)
        url_id = self.workspace.new_response_url(user, where.channel_id, source_ts=ts)
        source["response_url"] = f"{self.workspace.base_url}/slack/response/{url_id}"
        return await self._interact(user, action, source, ts=ts)

    async def press_in_view(
        self,
        user: str,
        action_id: str,
        value: Any = None,
        *,
        view_id: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Answer:
        """A person presses a button in their open modal, or, when none is open, on their Home tab.

        `values`: what else they had filled in by then, by action_id.
        """
        view = self._open_view(user, view_id) or self.workspace.homes.get(user)
        if view is None:
            raise LookupError(f"{user} has neither a modal open nor a Home tab")
        action = payloads.pressed(self.workspace, view["blocks"], action_id=action_id, value=value)
        shown = copy.deepcopy(view) | {"state": payloads.filled_in(view, dict(values or {}))}
        return await self._interact(user, action, {"container": {"type": "view", "view_id": view["id"]}, "view": shown})

    async def submit(self, user: str, values: Mapping[str, Any], *, view_id: str | None = None) -> Answer:
        """A person fills in the open modal (`values` by action_id) and submits it.

        The modal closes, stays with errors, or changes, as the bot's answer says.
        """
        view = self._open_view(user, view_id)
        if view is None:
            raise LookupError(f"{user} has no modal open")
        filled = copy.deepcopy(view) | {"state": payloads.filled_in(view, dict(values))}
        payload = payloads.view_submission(self.workspace, self.workspace.person(user), filled)
        answer = await self._bring(interaction_delivery(payload))
        if answer.ok:
            self._after_submit(user, view, answer.json() or {})
        return answer

    async def close_view(self, user: str, *, view_id: str | None = None) -> Answer:
        """A person closes the open modal; the bot hears of it only where it asked to (`notify_on_close`)."""
        view = self._open_view(user, view_id)
        if view is None:
            raise LookupError(f"{user} has no modal open")
        del self.workspace.views[view["id"]]
        self.workspace.changed.fire()
        if not view["notify_on_close"]:
            return Answer()
        return await self._bring(
            interaction_delivery(payloads.view_closed(self.workspace, self.workspace.person(user), copy.deepcopy(view)))
        )

    async def command(self, user: str, command: str, text: str = "", *, channel: str = "C0LEADS") -> Answer:
        """A person types a slash command; what the bot answers at once is shown as Slack would."""
        where = self._where(user, channel)
        url_id = self.workspace.new_response_url(user, where.channel_id)
        form = payloads.command_form(
            self.workspace,
            self.workspace.person(user),
            where,
            command=command,
            text=text,
            response_url=f"{self.workspace.base_url}/slack/response/{url_id}",
        )
        answer = await self._bring(form_delivery(form))
        if answer.ok and answer.body:
            given = answer.json() if answer.body.startswith("{") else {"text": answer.body}
            respond(self.workspace, self.workspace.response_urls[url_id], given)
        return answer

    async def open_home(self, user: str, *, tab: str = "home") -> Answer:
        """A person opens the app's Home (or messages) tab."""
        channel = self.workspace.direct_channel(self.workspace.person(user).user_id)
        event: Json = {
            "type": "app_home_opened", "user": user, "channel": channel.channel_id, "tab": tab,
            "event_ts": self.workspace.next_ts(),
        }  # fmt: skip
        if user in self.workspace.homes:
            event["view"] = copy.deepcopy(self.workspace.homes[user])
        return await self.event(event)

    async def event(self, event: Json) -> Answer:
        """Any event, in Slack's envelope."""
        return await self._bring(event_delivery(payloads.event_callback(self.workspace, event)))

    async def verify_url(self, challenge: str = "sandbox-challenge") -> Answer:
        """Slack's check when the Request URL is entered: the bot must answer with the challenge."""
        payload = {"token": payloads.VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"}
        return await self._bring(event_delivery(payload))

    async def redeliver(self, answer: Answer | None = None, *, number: int = 1, reason: str = "http_timeout") -> Answer:
        """The same body again (the last one, or that of `answer`), marked and signed as Slack's retry."""
        last = answer or self.answers[-1]
        assert last.delivery is not None  # noqa: S101 - every answer of ours carries what it answers
        again = await self.courier.once(last.delivery, retry=(number, reason))
        return replace(again, ts=last.ts)

    async def echo(self, channel: str, ts: str) -> Answer:
        """The bot hears of its own post, as an app does that subscribes to the messages of a channel."""
        where = self.workspace.channel(channel)
        return await self._tell(where, payloads.message_event(self.workspace, where, where.messages[ts]), ts=ts)

    async def _bring(self, delivery: Delivery, *, ts: str | None = None) -> Answer:
        answer = replace(await self.courier.bring(delivery), ts=ts)
        self.answers.append(answer)
        self.workspace.changed.fire()
        return answer

    async def _tell(self, where: Channel, event: Json, *, ts: str) -> Answer:
        """An event of a channel, which the bot hears only as a member, and only while it is installed."""
        if self.workspace.bot_user_id not in where.members or self.workspace.refusal is not None:
            return Answer(ts=ts)
        payload = payloads.event_callback(self.workspace, event)
        return await self._bring(event_delivery(payload), ts=ts)

    async def _changed(self, where: Channel, message: Json, previous: Json) -> Answer:
        self.workspace.changed.fire()
        event = payloads.changed_event(self.workspace, where, message, previous)
        return await self._tell(where, event, ts=message["ts"])

    async def _interact(self, user: str, action: Json, source: Json, *, ts: str | None = None) -> Answer:
        payload = payloads.block_actions(self.workspace, self.workspace.person(user), action, source)
        return await self._bring(interaction_delivery(payload), ts=ts)

    def _where(self, user: str, channel: str) -> Channel:
        """The channel, if this person can write there."""
        where = self.workspace.channel(channel)
        if self.workspace.person(user).user_id not in where.members:
            raise ValueError(f"{user} is not in {channel}")
        if where.archived:
            raise ValueError(f"{channel} is archived")
        return where

    def _message(self, where: Channel, ts: str) -> Json:
        if ts not in where.messages:
            raise LookupError(f"there is no message {ts} in {where.channel_id}")
        return where.messages[ts]

    def _composed(self, typed: str, blocks: list[Json] | None) -> Json:
        text, elements = Composer(self.workspace.emoji).compose(typed)
        if blocks is None and elements:
            blocks = [{"type": "rich_text", "block_id": self.workspace.next_id("b"), "elements": elements}]
        return {"text": text} | ({} if blocks is None else {"blocks": blocks})

    def _files(self, user: str, files: Sequence[str | Json]) -> list[Json]:
        return [file if isinstance(file, dict) else self._file(user, file) for file in files]

    def _file(self, user: str, name: str) -> Json:
        file_id = self.workspace.next_id("F")
        address = f"https://files.slack.com/files-pri/{self.workspace.team_id}-{file_id}"
        return {
            "id": file_id, "name": name, "title": name, "mimetype": mimetypes.guess_type(name)[0] or "text/plain",
            "filetype": name.rpartition(".")[2], "user": user, "size": 12345, "mode": "hosted", "is_external": False,
            "created": int(self.workspace.clock()), "url_private": f"{address}/{name}",
            "url_private_download": f"{address}/download/{name}",
        }  # fmt: skip

    def _open_view(self, user: str, view_id: str | None) -> Json | None:
        owned = {key: view for key, (owner, view) in self.workspace.views.items() if owner == user}
        if view_id is not None and view_id not in owned:
            raise LookupError(f"{user} has no modal {view_id} open; there are {', '.join(owned)}")
        return owned[view_id] if view_id is not None else next(reversed(owned.values()), None)

    def _after_submit(self, user: str, view: Json, says: Json) -> None:
        """What the modal does (https://docs.slack.dev/surfaces/modals#updating_response)."""
        match says.get("response_action"):
            case "errors":
                known = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
                if unknown := says["errors"].keys() - set(known):
                    raise LookupError(
                        f"the view has no input {', '.join(sorted(unknown))}; there are {', '.join(known)}"
                    )
                return
            case "update":
                self.workspace.views[view["id"]] = (
                    user,
                    make_view(self.workspace, judged(says["view"]), replaces=view),
                )
            case "push":
                pushed = make_view(self.workspace, judged(says["view"]))
                self.workspace.views[pushed["id"]] = (user, pushed)
            case "clear":
                for view_id in [key for key, (owner, _) in self.workspace.views.items() if owner == user]:
                    del self.workspace.views[view_id]
            case _:
                del self.workspace.views[view["id"]]
        self.workspace.changed.fire()
