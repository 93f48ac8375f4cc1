"""Whatever people do in whatever order: customers never get a note, nothing twice unasked, and marks tell the truth."""

import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.conversation import ANA, Conversation, buttons
from support.office import CHANNEL, Office

from bot.replies import MARKS
from sandbox.faults import Fault
from sandbox.slack.delivery import Answer
from storage.models import Message, Outbox, ReplyState, WorkState

pytestmark = pytest.mark.knobs(reply_hold_seconds=15)

quickly = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

FAULTS = {
    "outage": Fault(status=503),
    "busy": Fault(status=429, headers={"Retry-After": "40"}),
    "refusal": Fault(status=400),
    "lost answer": Fault(lose_answer=True),
    "cut": Fault(cut=True),
    "gateway": Fault(status=502),
}
KINDS = {"reply": "{} comes.", "note": "note: NOTE {}", "mention": "<@U0BEN> {}", "emoji": ":tada:"}

deeds = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(sorted(KINDS))),
    st.tuples(st.just("edit"), st.integers(0, 5), st.sampled_from(sorted(KINDS))),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("press"), st.integers(0, 20)),
    st.tuples(st.just("redeliver"), st.integers(0, 50)),
    st.tuples(st.just("wait"), st.sampled_from([5, 16, 61, 1_900])),
    st.tuples(st.just("fault"), st.sampled_from(sorted(FAULTS))),
)


@dataclass
class Play:
    """One lead's thread, what was done in it, and what the customer may have got for it."""

    lead: Conversation
    versions: dict[str, int] = field(default_factory=dict)  # by ts, in the order of Slack
    deleted: dict[str, int] = field(default_factory=dict)  # by ts: how often it had arrived by then
    sent_again: Counter[int] = field(default_factory=Counter)  # by our id
    pressed: set[int] = field(default_factory=set)  # by our id
    told: list[Answer] = field(default_factory=list)

    async def do(self, deed: tuple) -> None:
        match deed:
            case "say", kind:
                await self._say(kind)
            case "edit", which, kind:
                await self._edit(which, kind)
            case "delete", which:
                await self._delete(which)
            case "press", which:
                await self._press(which)
            case "redeliver", which if self.told:
                answer = self.told[which % len(self.told)]
                assert (await self.lead.place.slack.redeliver(answer)).status == 200
            case "wait", seconds:
                await self.lead.place.advance(seconds=seconds)
            case "fault", name:
                self.lead.place.thumbtack.faults.add("message", FAULTS[name])
        await self.lead.place.at_rest()

    def words(self, number: int, version: int, kind: str) -> str:
        return KINDS[kind].format(f"m{number}v{version}e")

    def arrived(self, ts: str) -> int:
        number = list(self.versions).index(ts)
        return sum(f"m{number}v" in text for text in self.lead.received)

    async def _say(self, kind: str) -> None:
        answer = await self.lead.said(self.words(len(self.versions), 0, kind))
        assert answer.status == 200
        self.told.append(answer)
        self.versions[answer.ts or ""] = 0

    def _standing(self, which: int) -> tuple[int, str] | None:
        standing = [(number, ts) for number, ts in enumerate(self.versions) if ts not in self.deleted]
        return standing[which % len(standing)] if standing else None

    async def _edit(self, which: int, kind: str) -> None:
        if (found := self._standing(which)) is None:
            return
        number, ts = found
        self.versions[ts] += 1
        answer = await self.lead.place.slack.edit(CHANNEL, ts, self.words(number, self.versions[ts], kind))
        assert answer.status == 200
        self.told.append(answer)

    async def _delete(self, which: int) -> None:
        if (found := self._standing(which)) is None:
            return
        _, ts = found
        self.deleted[ts] = self.arrived(ts)
        answer = await self.lead.place.slack.delete(CHANNEL, ts)
        assert answer.status == 200
        self.told.append(answer)

    async def _press(self, which: int) -> None:
        posts = [*self.lead.lines, *self.lead.place.slack.ephemerals(ANA)]
        offered = [(post["ts"], name, _value(post)) for post in posts for name in buttons(post)]
        if not offered:
            return
        ts, action_id, message_id = offered[which % len(offered)]
        self.pressed.add(message_id)
        if action_id in ("reply_send_again", "reply_retry"):
            self.sent_again[message_id] += 1
        assert (await self.lead.place.slack.press(ANA, CHANNEL, ts, action_id)).status == 200


def _value(post: dict) -> int:
    return int(re.search(r"'value': '(\d+)'", str(post["blocks"]))[1])


@quickly
@given(script=st.lists(deeds, min_size=3, max_size=14))
@example(script=[("say", "reply"), ("edit", 0, "mention"), ("wait", 16)])
@example(script=[("say", "reply"), ("edit", 0, "note"), ("edit", 0, "reply"), ("wait", 16)])
@example(script=[("say", "mention"), ("edit", 0, "note"), ("press", 0), ("wait", 16)])
@example(script=[("fault", "lost answer"), ("say", "reply"), ("wait", 16), ("edit", 0, "note"), ("press", 1)])
@example(script=[("fault", "refusal"), ("say", "reply"), ("wait", 16), ("delete", 0), ("press", 0), ("wait", 16)])
async def test_whatever_people_do(place: Office, script: list[tuple]):
    place.thumbtack.faults.clear()
    play = Play(lead=await Conversation.opened(place))
    for deed in script:
        known = len(play.lead.received)
        await play.do(deed)
        for text in play.lead.received[known:]:  # what goes out is what stands in Slack at that moment
            found = re.search(r"m(\d+)v(\d+)e", text)  # only emoji do not say which they are
            assert found is None or int(found[2]) == list(play.versions.values())[int(found[1])], (script, text)
    place.thumbtack.faults.clear()
    await play.do(("wait", 1_900))
    await play.do(("wait", 61))

    received, rows = play.lead.received, {row.slack_ts: row for row in await place.rows(Message)}
    assert "NOTE" not in str(received), script
    for ts in play.versions:
        row, count = rows[ts], play.arrived(ts)
        assert count <= 1 + play.sent_again[row.id], script
        mention = f"@ben m{list(play.versions).index(ts)}v"
        assert row.id in play.pressed or mention not in str(received), script
        if ts in play.deleted:
            assert count <= play.deleted[ts] + play.sent_again[row.id], script
        else:
            assert place.mark(ts) == [MARKS[row.state]], (script, row.state)
        assert row.state not in (ReplyState.SENDING, ReplyState.CANCELLED) or ts in play.deleted
        assert (row.state == ReplyState.DELIVERED) <= (count > 0 or "cut" in str(script) or "gateway" in str(script))
    unsettled = [entry for entry in await place.rows(Outbox) if entry.settled_at is None]
    assert {entry.state for entry in unsettled} <= {WorkState.PARKED, WorkState.PENDING}, script


@quickly
@given(order=st.permutations(range(9)), again=st.lists(st.integers(0, 8), max_size=6))
async def test_in_whatever_order_slack_tells_it(place: Office, order: list[int], again: list[int]):
    lead = await Conversation.opened(place)
    slack = place.slack
    slack.events_url, url = None, slack.events_url
    edited, deleted, noted, plain = [await lead.said(words) for words in ("One.", "Two.", "Three.", "Four.")]
    told = [edited, deleted, noted, plain]
    told += [await slack.edit(CHANNEL, edited.ts, words) for words in ("One, changed.", "One, changed again.")]
    told += [await slack.edit(CHANNEL, deleted.ts, "Two, changed."), await slack.delete(CHANNEL, deleted.ts)]
    told.append(await slack.edit(CHANNEL, noted.ts, "note: NOTE Three."))
    slack.events_url = url
    for which in [*order, *again]:
        assert (await slack.redeliver(told[which])).status == 200
    await place.at_rest()
    assert lead.received == []
    await place.advance(seconds=16)
    await place.at_rest()
    assert lead.received == ["One, changed again.", "Four."]
