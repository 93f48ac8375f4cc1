"""On SQLite what a webhook tells is claimed in the transaction that reads it; whatever comes of that, it is read, and said once."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs
from support.conversation import Conversation
from support.deliveries import all_said
from support.office import CHANNEL, Office

from bot.dispatch.dispatcher import AT_ONCE, POLL, Dispatcher
from bot.dispatch.kinds import KINDS
from bot.dispatch.plans import Plan
from sandbox.thumbtack import bodies
from storage import outbox
from storage.database import Database, Transaction
from storage.models import Inbox, Outbox, WorkState
from storage.outbox import Kind
from webhooks.ingest import Ingest

PREPARE = KINDS[Kind.POST_MESSAGE]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """One for each brief transaction that begins: those in which is read, claimed and written down."""
    found: list[bool] = []
    transaction = Database.transaction

    def counted(self: Database, *, brief: bool = False) -> Any:
        found.extend([True] * brief)
        return transaction(self, brief=brief)

    monkeypatch.setattr(Database, "transaction", counted)
    return found


async def tell(lead: Conversation, text: str) -> None:
    answer = await lead.place.post("/v1/message", bodies.message(lead.lead_id, text))
    assert answer.status_code == 200


def said(lead: Conversation) -> list[str]:
    return [line["text"].removeprefix("Maya Alvarez: ") for line in lead.lines]


async def opened(place: Office) -> Conversation:
    lead = await Conversation.opened(place, request={"attachments": []})
    await all_said(place)
    return lead


async def test_reading_and_claiming_are_one_transaction_and_nobody_looks_again(place: Office, begun: list[bool]):
    lead = await opened(place)
    begun.clear()
    await tell(lead, "Is Friday possible?")
    await place.seen(lambda: "Is Friday possible?" in said(lead))
    await place.at_rest()
    if place.database.is_sqlite:
        assert len(begun) == 2  # the other one writes down what came of it
    else:
        assert len(begun) > 2


async def test_what_cannot_be_claimed_is_read_all_the_same_and_said_when_it_can(place: Office, monkeypatch: Any):
    lead = await opened(place)

    async def broken(_at: object) -> None:
        raise KeyError

    with capture_logs() as logs, monkeypatch.context() as meanwhile:
        meanwhile.setitem(KINDS, Kind.POST_MESSAGE, broken)
        await tell(lead, "Is Friday possible?")
        await place.at_rest()
    assert len([one for one in logs if one["event"] == "delivery_not_prepared"]) == 1
    [_, told] = await place.rows(Inbox)
    assert (told.state, told.attempt, told.reason) == (WorkState.DONE, 0, None)
    await all_said(place)
    assert said(lead) == ["Is Friday possible?"]
    [entry] = [one for one in await place.rows(Outbox) if one.kind == Kind.POST_MESSAGE]
    assert (entry.state, entry.mistakes, entry.attempt) == (WorkState.DONE, 1, 1)


async def test_what_is_claimed_while_the_bot_is_told_to_stop_is_said_before_it_ends(place: Office, monkeypatch: Any):
    preparing, stopping, stop = asyncio.Event(), asyncio.Event(), Ingest.stop

    async def slowly(at: Any) -> Any:
        preparing.set()
        await stopping.wait()
        return await PREPARE(at)

    def told_to_stop(ingest: Ingest) -> None:
        stop(ingest)
        stopping.set()

    await place.stop()
    monkeypatch.setitem(KINDS, Kind.POST_MESSAGE, slowly)
    monkeypatch.setattr(Ingest, "stop", told_to_stop)
    await place.start()
    lead = await opened(place)
    await tell(lead, "Is Friday possible?")
    await preparing.wait()
    await place.stop()
    assert said(lead) == ["Is Friday possible?"]
    [entry] = [one for one in await place.rows(Outbox) if one.kind == Kind.POST_MESSAGE]
    assert (entry.state, entry.attempt) == (WorkState.DONE, 1)


async def test_what_is_prepared_sees_rows_and_no_objects_that_reading_had(place: Office, monkeypatch: Any):
    prepare, held = KINDS[Kind.POST_LEAD], []

    async def noted(at: Any) -> Any:
        held.append(len(at.tx.identity_map))
        return await prepare(at)

    monkeypatch.setitem(KINDS, Kind.POST_LEAD, noted)
    await opened(place)
    assert held == [0]


async def test_many_messages_at_once_are_said_in_their_order_each_once(place: Office):
    lead = await opened(place)
    texts = [f"Say {number}." for number in range(2 * AT_ONCE)]
    for text in texts:
        await tell(lead, text)
    await all_said(place, seconds=2)
    assert said(lead) == texts
    assert len(place.slack.workspace.channel(CHANNEL).messages) == 1 + len(texts)


@pytest.mark.parametrize("why", ["it has its hands full", "it was told to stop"])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_nothing_is_claimed_for_a_dispatcher_that_takes_nothing_more(place: Office, monkeypatch: Any, why: str):
    services = place.door.app.state.services
    await opened(place)
    dispatcher, now = Dispatcher(services, KINDS), place.clock()
    if why == "it was told to stop":
        dispatcher.stop()
    else:
        monkeypatch.setattr("bot.dispatch.dispatcher.AT_ONCE", 0)
    async with services.database.transaction(brief=True) as tx:
        await outbox.enqueue(tx, Kind.POST_STATUS, now=now, channel=CHANNEL)
        assert await dispatcher.claim_within(tx) is None
        entry = await outbox.next_up(tx, now=now)
        assert entry is not None
        await outbox.settle(tx, entry, state=WorkState.CANCELLED, now=now)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_what_is_due_soon_goes_in_its_time_though_nobody_was_woken_for_it(place: Office, monkeypatch: Any):
    found: list[Dispatcher] = []
    claim_within = Dispatcher.claim_within

    async def heard(dispatcher: Dispatcher, tx: Transaction) -> Any:
        found.append(dispatcher)
        return await claim_within(dispatcher, tx)

    async def a_post(at: Any) -> Plan:
        return Plan(perform=partial(at.services.slack.call, "chat.postMessage", at.entry.payload), channel=CHANNEL)

    await place.stop()
    monkeypatch.setattr(Dispatcher, "claim_within", heard)
    monkeypatch.setitem(KINDS, Kind.POST_STATUS, a_post)
    await place.start()
    lead = await opened(place)
    dispatcher, services = found[-1], place.door.app.state.services
    now = place.clock()
    async with services.database.transaction(brief=True) as tx:
        for text, seconds in (("First.", 0), ("Second.", 1.5)):
            payload = {"channel": CHANNEL, "thread_ts": lead.ts, "text": text}
            due_at = now + timedelta(seconds=seconds)
            await outbox.enqueue(tx, Kind.POST_STATUS, now=now, due_at=due_at, channel=CHANNEL, payload=payload)
        begin = await dispatcher.claim_within(tx)
    assert begin is not None
    begin()
    await place.seen(lambda: "Second." in said(lead), within=POLL - 1)
    assert said(lead) == ["First.", "Second."]
