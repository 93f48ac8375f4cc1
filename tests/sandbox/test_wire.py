"""The stand-ins' calls of the bot reach it, also where a connection that was kept is just being closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from sandbox import wire
from sandbox.outside import CHANNEL, Outside


@asynccontextmanager
async def closing() -> AsyncIterator[tuple[str, list[asyncio.Task[None] | None]]]:
    """A bot that answers once on each connection, and closes it at the next request; and what served each connection."""
    connections: list[asyncio.Task[None] | None] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await reader.read(1)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
        await asyncio.gather(*filter(None, connections))  # whoever called has hung up


@pytest.fixture
async def world() -> AsyncIterator[Outside]:
    world = Outside()
    yield world
    await world.aclose()


def test_a_connection_is_let_go_long_before_the_bot_closes_it():
    assert uvicorn.Config(Starlette()).timeout_keep_alive >= 5 * wire.IDLE


async def test_a_call_after_a_while_goes_by_a_new_connection(monkeypatch):
    monkeypatch.setattr(wire, "IDLE", 0.0)
    world = Outside()
    async with closing() as (bot_url, connections):
        world.meet(address="http://127.0.0.1:8100", bot_url=bot_url)
        for _ in range(2):
            assert (await world.thumbtack.lead()).status_code == httpx.codes.OK
        await world.aclose()
    assert len(connections) == 2


async def test_an_event_that_met_a_closing_connection_is_brought_again_at_once(world):
    async with closing() as (bot_url, connections):
        world.meet(address="http://127.0.0.1:8100", bot_url=bot_url)
        answers = [await world.slack.say("U0ANA", CHANNEL, text) for text in ("One", "Two")]
        await world.aclose()
    assert [(answer.ok, answer.attempts) for answer in answers] == [(True, 1), (True, 2)]
    assert len(connections) == 2
