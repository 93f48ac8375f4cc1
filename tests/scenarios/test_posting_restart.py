"""Posting when the bot ends or Slack is away: nothing is lost, nothing stands twice, and the order is kept."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.deliveries import all_said
from support.office import Office

from bot.dispatch import dispatcher
from sandbox import outside
from sandbox.demo.bot_process import running_bot
from sandbox.outside import CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME, Outside
from sandbox.servers import serving
from sandbox.slack.failures import down, slow
from sandbox.thumbtack import bodies
from storage.models import Outbox, WorkState

PATIENCE = 30.0
POST = "chat.postMessage"
JOBS = tuple(f"Job {number}" for number in range(8))


def job(name: str) -> dict[str, Any]:
    return bodies.lead(request={"category": name, "title": name, "attachments": []})


def name_of(card: dict[str, Any]) -> str:
    return str(card["text"]).partition(" · ")[0]


async def told(place: Office, leads: list[dict[str, Any]]) -> None:
    """Each lead, and three messages of its customer."""
    sent = [("/v1/lead", lead) for lead in leads]
    sent += [("/v1/message", bodies.message(lead["leadID"], f"number {n}")) for n in range(3) for lead in leads]
    for path, body in sent:
        assert (await place.post(path, body)).status_code == 200
    await place.ingested()


async def everything_stands_once(place: Office, leads: int) -> None:
    await all_said(place)
    assert Counter(map(name_of, place.cards)) == Counter(JOBS[:leads])
    for card in place.cards:
        assert [line["text"] for line in place.thread(card)] == [f"Maya Alvarez: number {n}" for n in range(3)]
    assert {entry.state for entry in await place.rows(Outbox)} == {WorkState.DONE}


ENDS: dict[str, Callable[[Office], Awaitable[None]]] = {"an orderly end": Office.stop, "a crash": Office.crash}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_it_ends_again_and_again_while_it_posts(place: Office, end: Callable[[Office], Awaitable[None]]):
    place.slack.faults.stand(POST, slow(0.02))
    await told(place, [job(name) for name in JOBS[:6]])
    for enough in (2, 9, 16):
        await place.seen(lambda wanted=enough: len(place.slack.called(POST)) >= wanted)
        await end(place)
        await place.start()
        await place.advance(minutes=2)
    place.slack.faults.clear()
    await everything_stands_once(place, 6)


async def test_what_waits_while_slack_is_down_is_posted_afterwards_in_order(
    place: Office, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatcher, "POLL", 0.05)  # so often it asks who it is
    await place.seen(lambda: place.slack.called("auth.test"))
    place.slack.faults.stand("*", down())
    await told(place, [job(name) for name in JOBS[:4]])
    await place.seen(lambda: place.slack.faults.happened[POST] >= 4)
    await place.stop()
    await place.start()  # now it cannot even ask that
    await place.seen(lambda: place.slack.faults.happened["auth.test"] >= 2)
    assert place.cards == []
    place.slack.faults.clear()
    await place.advance(hours=1)
    await everything_stands_once(place, 4)


async def test_killed_twice_while_it_posts_each_lead_has_one_card_and_each_message_one_line(
    sqlite_url: str, tmp_path: Path
):
    world = Outside()
    slack, leads = world.slack, [job(name) for name in JOBS]
    slack.faults.stand(POST, slow(0.1))

    def cards() -> list[dict[str, Any]]:
        return [one for one in slack.messages(CHANNEL) if one.get("thread_ts", one["ts"]) == one["ts"]]

    def lines() -> list[str]:
        return [one["text"] for card in cards() for one in slack.thread(CHANNEL, card["ts"])[1:]]

    async with serving(world.app) as address:
        settings = outside.settings(address) | {
            "DATABASE_URL": sqlite_url,
            "ENCRYPTION_KEYS": "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
        }
        for kill_at in (3, 9, None):
            async with running_bot(settings, folder=tmp_path) as bot:
                url = await bot.address()
                world.meet(address=address, bot_url=url)
                if kill_at is not None:
                    await _posted(url, leads if kill_at == 3 else [])
                    await slack.wait_until(lambda least=kill_at: len(slack.called(POST)) >= least, timeout=PATIENCE)
                    os.kill(bot.pid, signal.SIGKILL)
                    continue
                slack.faults.clear()
                await slack.wait_until(lambda: len(lines()) == len(leads), timeout=PATIENCE)
                await bot.stop()
                assert bot.exit_code == 0
                assert bot.mistakes == []
        await world.aclose()
    assert Counter(map(name_of, cards())) == Counter(JOBS)
    for card in cards():
        assert [one["text"] for one in slack.thread(CHANNEL, card["ts"])[1:]] == [f"Maya Alvarez: {name_of(card)}?"]


async def _posted(url: str, leads: list[dict[str, Any]]) -> None:
    """Thumbtack tells of these leads, and of a message for each."""
    async with httpx.AsyncClient(base_url=url, auth=(WEBHOOK_USERNAME, WEBHOOK_PASSWORD)) as curl:
        told = [curl.post("/v1/lead", json=lead) for lead in leads]
        assert {answer.status_code for answer in await asyncio.gather(*told)} <= {200}
        asked = [
            curl.post("/v1/message", json=bodies.message(lead["leadID"], f"{lead['request']['title']}?"))
            for lead in leads
        ]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} <= {200}
