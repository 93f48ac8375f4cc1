"""The real program, ended by SIGKILL at the worst moments, loses nothing, says nothing twice and keeps the order."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.world import HANGS, HANGS_UNDONE, PATIENCE, World

from sandbox.outside import CHANNEL, Outside
from sandbox.servers import serving
from sandbox.thumbtack import bodies


@pytest.fixture
async def world(sqlite_url, tmp_path) -> AsyncIterator[World]:
    around = Outside()
    async with serving(around.app) as address:
        yield World(around, address=address, database_url=sqlite_url, folder=tmp_path)
        await around.aclose()


async def test_killed_between_every_pair_of_steps(world: World):
    slack, thumbtack = world.slack, world.around.thumbtack
    async with world.life():  # the card is out, and nobody wrote that down
        slack.faults.add("chat.postMessage", HANGS)
        first = await world.lead("First")
        await world.seen(lambda: world.names == ["First"])
        await world.lead("Second")
        await world.post("/v1/message", bodies.message(first, "Message one"))
    async with world.life():  # found again, and what follows goes on; then a message is out in the same way
        await world.seen(lambda: "Second" in world.names and any("one" in text for text in world.thread("First")))
        slack.faults.add("chat.postMessage", HANGS)
        await world.post("/v1/message", bodies.message(first, "Message two"))
        await world.seen(lambda: any("two" in text for text in world.thread("First")))
        await world.post("/v1/message", bodies.message(first, "Message three"))
    async with world.life():  # a call that did nothing, an update and a mark that are out
        await world.seen(lambda: any("three" in text for text in world.thread("First")))
        slack.faults.add("chat.postMessage", HANGS_UNDONE)
        for method in ("chat.update", "reactions.add"):
            slack.faults.add(method, HANGS)
        await world.post("/v1/message", bodies.message(first, "Message four"))
        await world.post("/v1/lead/update", bodies.price(first, "$26.00"), method="PUT")
        note = await slack.say("U0ANA", CHANNEL, "note: call first", thread_ts=world.cards[0]["ts"])
        await world.seen(lambda: world.marks(note.ts) == ["memo"])
    async with world.life():  # webhooks were acknowledged and nothing else was done; a reply is out
        await world.seen(lambda: "$26.00" in str(world.cards[0]))
        thumbtack.faults.add("message", HANGS)
        reply = await slack.say("U0ANA", CHANNEL, "We come at 9.", thread_ts=world.cards[0]["ts"])
        await thumbtack.wait_until(lambda: thumbtack.received(first) == ["We come at 9."], timeout=PATIENCE)
        await asyncio.gather(*(world.lead(f"Late {number}") for number in range(5)))
    async with world.life():
        await world.seen(lambda: world.marks(reply.ts) == ["warning"])
        await world.seen(lambda: len(world.names) == 7)
        last = await slack.say("U0ANA", CHANNEL, "Or at 10?", thread_ts=world.cards[0]["ts"])
        await world.seen(lambda: world.marks(last.ts) == ["white_check_mark"])
        assert world.bot.mistakes == []
    assert world.names[:2] == ["First", "Second"]
    assert sorted(world.names[2:]) == [f"Late {number}" for number in range(5)]
    said = [text.split()[-1] for text in world.thread("First") if "Message" in text]
    assert said == ["one", "two", "three", "four"]
    assert sum("$26.00" in text for text in world.thread("First")) == 1
    assert world.marks(note.ts) == ["memo"]
    assert thumbtack.received(first) == ["We come at 9.", "Or at 10?"]


async def test_killed_again_and_again_while_much_is_said(world: World):
    leads = [f"Lead {number}" for number in range(12)]
    texts = ["one", "two", "three"]
    ids: dict[str, str] = {}

    def all_said() -> bool:
        return sorted(world.names) == sorted(leads) and all(
            len([text for text in world.thread(name) if "Message" in text]) == len(texts) for name in leads
        )

    for number in range(4):
        async with world.life():
            for name in leads[number * 4 : number * 4 + 4]:
                ids[name] = await world.lead(name)
            for name in list(ids)[-4:] if number < 3 else ():
                for text in texts:
                    await world.post("/v1/message", bodies.message(ids[name], f"Message {text}"))
            said = len(world.slack.called("chat.postMessage"))
            if number < 3:
                await world.seen(lambda before=said: len(world.slack.called("chat.postMessage")) >= before + 3)
            else:
                await world.seen(all_said)
    assert sorted(world.names) == sorted(
        leads
    )  # a card that may be out is looked for first, and another lead's goes meanwhile
    for name in leads:
        assert [text.split()[-1] for text in world.thread(name) if "Message" in text] == texts
