"""A lead's thread as the people in it act and see."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from support.office import CHANNEL, PATIENCE, Office

from sandbox.faults import Fault, Faults
from sandbox.slack.delivery import Answer
from sandbox.thumbtack import bodies
from storage.models import Message

ANA, BEN, OLGA = "U0ANA", "U0BEN", "U0OLGA"
HOURGLASS, CHECK, CROSS, WARNING, MEMO = "hourglass_flowing_sand", "white_check_mark", "x", "warning", "memo"


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """One lead with its card."""

    place: Office
    lead_id: str
    ts: str

    @classmethod
    async def opened(cls, place: Office, *, staging: bool = False, **overrides: Any) -> Self:
        """A new lead, whose card stands."""
        before = {card["ts"] for card in place.cards}
        lead = bodies.lead(**overrides)
        answer = await place.post(f"{'/staging' if staging else ''}/v1/lead", lead)
        assert answer.status_code == 200
        new = await place.seen(lambda: [card["ts"] for card in place.cards if card["ts"] not in before])
        conversation = cls(place=place, lead_id=str(lead["leadID"]), ts=new[0])
        await place.at_rest()  # the thread is attached
        return conversation

    @property
    def received(self) -> list[str]:
        """What the customer got, oldest first."""
        return self.place.thumbtack.received(self.lead_id)

    async def said(self, text: str, *, by: str = ANA, **kwargs: Any) -> Answer:
        """A person writes in the thread; the bot's answer to Slack."""
        return await self.place.slack.say(by, CHANNEL, text, thread_ts=self.ts, **kwargs)

    async def say(self, text: str, *, by: str = ANA, **kwargs: Any) -> str:
        """A person writes in the thread, and Slack hears 200; the message's ts."""
        answer = await self.said(text, by=by, **kwargs)
        assert answer.status == 200, answer
        assert answer.ts is not None
        return answer.ts

    async def edit(self, ts: str, text: str) -> None:
        assert (await self.place.slack.edit(CHANNEL, ts, text)).status == 200

    async def delete(self, ts: str) -> None:
        assert (await self.place.slack.delete(CHANNEL, ts)).status == 200

    async def marked(self, ts: str, mark: str) -> None:
        """Wait until a message has this mark and no other."""
        await self.place.seen(lambda: self.place.mark(ts) == [mark])

    async def held(self, ts: str) -> None:
        """Wait until a first reply waits: it has the hourglass, and the customer got nothing."""
        await self.marked(ts, HOURGLASS)
        await self.place.at_rest()
        assert self.received == []

    async def unheard(self, *deeds: Callable[[], Awaitable[Answer]]) -> list[Answer]:
        """What people do while the bot hears nothing: what Slack would have told it, to be `brought` in any order."""
        slack = self.place.slack
        slack.events_url, url = None, slack.events_url
        told = [await deed() for deed in deeds]
        slack.events_url = url
        return told

    async def brought(self, *told: Answer) -> None:
        """Slack tells the bot what people did, late."""
        for answer in told:
            assert (await self.place.slack.redeliver(answer)).status == 200

    async def being_sent(self, words: str, fault: Fault, *, after: float = 0) -> str:
        """A reply that Thumbtack has in its hands, and answers as `fault` says; `after` its hold window in seconds."""
        asked = calling(self.place.thumbtack.faults, "message")
        self.place.thumbtack.faults.add("message", fault)
        ts = await self.say(words)
        if after:
            await self.offered("reply_keep")
            await self.place.advance(seconds=after)
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        return ts

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The bot's posts in the thread, oldest first."""
        return [one for one in self.place.thread({"ts": self.ts}) if one.get("bot_id") == "B0CORKBOT"]

    def prompts(self, by: str = ANA) -> list[str]:
        """What this person alone was told in the thread, oldest first."""
        return [said(one) for one in self.place.slack.ephemerals(by) if one.get("thread_ts", self.ts) == self.ts]

    async def offered(self, action_id: str, *, to: str = ANA) -> str:
        """Wait for a button, in the thread or shown to this person alone; the ts of the post that has it last."""
        ts: str = await self.place.seen(lambda: self._with(action_id, to))
        return ts

    def is_offered(self, action_id: str, *, to: str = ANA) -> bool:
        """Whether such a button stands now."""
        return self._with(action_id, to) is not None

    async def press(self, action_id: str, *, by: str = ANA) -> None:
        """A person presses a button as soon as it is there."""
        ts = await self.offered(action_id, to=by)
        assert (await self.place.slack.press(by, CHANNEL, ts, action_id)).status == 200

    def _with(self, action_id: str, user: str) -> str | None:
        card = self.place.slack.message(CHANNEL, self.ts)
        whispers = [one for one in self.place.slack.ephemerals(user) if one.get("thread_ts") == self.ts]
        found = [one["ts"] for one in (card, *self.lines, *whispers) if action_id in buttons(one)]
        return max(found, default=None)

    async def message(self, ts: str) -> Message:
        """The row of a person's message."""
        return next(row for row in await self.place.rows(Message) if row.slack_ts == ts)


def calling(faults: Faults, target: str) -> asyncio.Event:
    """Set once such a call has arrived at the stand-in, before it is answered."""
    arrived, take = asyncio.Event(), faults.take

    def tell(name: str) -> Fault | None:
        if name == target:
            arrived.set()
        return take(name)

    faults.take = tell  # type: ignore[method-assign]  # listening in
    return arrived


def buttons(post: dict[str, Any]) -> list[str]:
    """The action_ids of a post's buttons."""
    rows = [block for block in post.get("blocks", []) if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]


def said(post: dict[str, Any]) -> str:
    """Everything that a post says, without its looks."""
    return "\n".join(_texts(post.get("blocks") or post["text"]))


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in _texts(item)]
        case {"type": "actions"}:
            return []
        case {"text": inner} | {"elements": inner}:
            return _texts(inner)
        case _:
            return []
