"""The real program, ended by SIGKILL between the steps of a renewal: no token is lost, and none is used twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from support.conversation import calling
from support.world import HANGS, HANGS_UNDONE, PATIENCE, World

from sandbox.faults import Fault
from sandbox.outside import CHANNEL, Outside
from sandbox.servers import serving
from sandbox.thumbtack import grants
from sandbox.thumbtack.bodies import BUSINESS_ID

ADMIN = "U0OLGA"


@pytest.fixture
async def world(sqlite_url, tmp_path, monkeypatch) -> AsyncIterator[World]:
    monkeypatch.setitem(grants.GRACE, "legacy", timedelta(minutes=1))  # a slow machine takes long to start
    around = Outside()
    async with serving(around.app) as address:
        yield World(around, address=address, database_url=sqlite_url, folder=tmp_path)
        await around.aclose()


async def connect(world: World) -> None:
    """From the command in Slack through the consent page and back."""
    await world.slack.command(ADMIN, "/thumbtack", "connect")
    shown = world.slack.ephemerals(ADMIN)[-1]["blocks"]
    link = next(one["accessory"]["url"] for one in shown if "Messages, targeting" in str(one) and "accessory" in one)
    async with httpx.AsyncClient(trust_env=False) as browser:
        leaving = await browser.get(link)
        back = await world.around.thumbtack.consent(leaving.headers["location"], businesses=[BUSINESS_ID])
        assert (await browser.get(back)).status_code == 200


async def test_killed_between_every_pair_of_steps_of_a_renewal(world: World):
    slack, thumbtack = world.slack, world.around.thumbtack
    told = thumbtack.grants

    async def reply(text: str) -> str:
        said = await slack.say("U0ANA", CHANNEL, text, thread_ts=world.cards[-1]["ts"])
        return said.ts

    async def renewed(times: int) -> None:
        await thumbtack.wait_until(lambda: len(told.renewals) >= times, timeout=PATIENCE)

    async with world.life():
        await connect(world)
        lead = await world.lead("First")
        await world.seen(lambda: world.names[-1:] == ["First"])
        ts = await reply("One")
        await world.seen(lambda: world.marks(ts) == ["white_check_mark"])
        told.expire_access_tokens()
        asked = calling(thumbtack.faults, "token")
        thumbtack.faults.add("token", HANGS_UNDONE)  # killed after the claim, before the token is used up
        await reply("Two")
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        assert told.renewals == []
    async with world.life():
        await renewed(1)
        ts = await reply("Three")
        await world.seen(lambda: world.marks(ts) == ["white_check_mark"])
        told.expire_access_tokens()
        thumbtack.faults.add("token", HANGS)  # killed after the token is used up, before the pair is known
        await reply("Four")
        await renewed(2)
    async with world.life():
        await renewed(3)  # the same token once more, within its grace
        ts = await reply("Five")
        await world.seen(lambda: world.marks(ts) == ["white_check_mark"])
        told.expire_access_tokens()
        thumbtack.faults.add("message", Fault())  # the expired token is refused,
        thumbtack.faults.add("message", HANGS)  # and killed after the pair is stored, while it is first used
        await reply("Six")
        await thumbtack.wait_until(lambda: "Six" in thumbtack.received(lead), timeout=PATIENCE)
        assert len(told.renewals) == 4
    async with world.life():
        ts = await reply("Seven")
        await world.seen(lambda: world.marks(ts) == ["white_check_mark"])
        thread = slack.thread(CHANNEL, world.cards[-1]["ts"])[1:]
        replies = [one["ts"] for one in thread if not one.get("bot_id")]
        assert len(replies) == 7
        # each was delivered, or its writer was asked; of an old mark and a new one, the old one goes last
        await world.seen(lambda: all(world.marks(ts) in (["white_check_mark"], ["warning"]) for ts in replies))
        assert world.bot.mistakes == []
    assert told.misused == []
    received = thumbtack.received(lead)
    assert [one for one in received if one in {"One", "Three", "Five", "Seven"}] == ["One", "Three", "Five", "Seven"]
    assert len(received) == len(set(received))
