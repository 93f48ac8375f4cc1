"""Webhooks that wait for their answer go first; other work stands back while they come, and only then."""

import asyncio

import pytest

from storage import precedence
from storage.precedence import LONGEST_REST, REST, Precedence


@pytest.fixture
def rested(monkeypatch):
    """For how long was rested before pieces of work, in seconds."""
    seconds = []

    async def rest(duration):
        seconds.append(duration)

    with monkeypatch.context() as patched:
        patched.setattr(precedence.asyncio, "sleep", rest)
        yield seconds


async def work(ours: Precedence, *, webhooks: int = 0, seconds: float = 0.0) -> None:
    loop = asyncio.get_running_loop()
    async with ours.behind():
        until = loop.time() + seconds
        for _ in range(webhooks):
            ours.arrived()
        while loop.time() < until:
            pass


async def test_nothing_rests_when_no_webhook_came(rested):
    ours = Precedence(exclusive=True)
    ours.arrived()
    for _ in range(3):
        await work(ours, seconds=0.002)
    assert rested == []


async def test_after_keeping_a_webhook_waiting_the_next_work_rests_longer_than_that_took(rested):
    ours = Precedence(exclusive=True)
    await work(ours, webhooks=1, seconds=0.02)
    await work(ours)
    assert len(rested) == 1
    assert 0.01 * REST < rested[0] <= LONGEST_REST


async def test_however_much_came_it_goes_on_after_the_longest_rest(rested):
    ours = Precedence(exclusive=True)
    for _ in range(30):
        await work(ours, webhooks=100, seconds=0.02)
    await work(ours)
    assert 0.0 < rested[-1] <= LONGEST_REST


async def test_what_was_waited_for_a_turn_is_not_rested_for(rested):
    ours, clock = Precedence(exclusive=True), asyncio.get_running_loop().time

    async def piece() -> None:
        async with ours.behind(), ours.turn():
            ours.arrived()

    async with ours.turn():
        waiting, until = asyncio.create_task(piece()), clock() + 0.05
        while clock() < until:
            await asyncio.get_running_loop().run_in_executor(None, int)
    await waiting
    await work(ours)
    assert rested[-1] < 0.05


async def test_two_that_rest_have_the_time_of_one_and_take_turns():
    ours, had, clock = Precedence(exclusive=True), [], asyncio.get_running_loop().time
    worked = rested = 0.0

    async def works(letter: str) -> None:
        nonlocal worked, rested
        for _ in range(4):
            async with ours.behind():
                began = clock()
                if had:
                    rested += began - had[-1][1]
                ours.arrived()
                await asyncio.sleep(0.004)
                worked += clock() - began
            had.append((letter, clock()))

    await work(ours, webhooks=1, seconds=0.004)
    await asyncio.gather(works("a"), works("b"))
    assert "".join(letter for letter, _ in had) == "abababab"
    assert rested > 0.7 * REST * worked


async def test_a_webhook_at_the_gate_counts(sqlite_door, rested):
    async with sqlite_door.database.precedence.behind():
        await sqlite_door.post("/v1/lead", {"leadID": "1"})
    async with sqlite_door.database.precedence.behind():
        pass
    assert rested[-1] > 0.0


async def turns(ours: Precedence, wanted: str) -> str:
    """The order in which the turns were had that were asked for while another had one (w: a webhook, o: other)."""
    had = []

    async def take(letter):
        async with ours.first() if letter == "w" else ours.turn():
            had.append(letter)
            await asyncio.sleep(0)

    async with ours.turn():
        tasks = [asyncio.create_task(take(letter)) for letter in wanted]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return "".join(had)


async def test_a_webhook_has_the_next_turn():
    assert await turns(Precedence(exclusive=True), "oowo") == "wooo"


async def test_a_turn_that_is_free_is_not_taken_from_a_webhook_that_came_and_will_ask_for_it():
    ours, had = Precedence(exclusive=True), []

    async def other() -> None:
        async with ours.turn():
            had.append("other")

    ours.arrived()
    waiting = asyncio.create_task(other())
    for _ in range(5):
        await asyncio.sleep(0)
    async with ours.first():
        had.append("webhook")
        ours.arrived()  # which comes too late for this turn, and keeps nobody from the next
    await asyncio.wait_for(waiting, 60)
    assert had == ["webhook", "other"]


async def test_where_the_database_has_many_writers_nobody_waits_for_a_turn():
    ours = Precedence(exclusive=False)
    ours.arrived()
    async with asyncio.timeout(60), ours.turn(), ours.turn(), ours.first():
        pass


async def test_who_gives_up_waiting_takes_no_turn_with_them():
    ours = Precedence(exclusive=True)
    for steps in range(4):
        async with ours.turn():
            waiting = [asyncio.create_task(turns_once(ours)) for _ in range(2)]
            await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.wait(waiting, timeout=5)
        assert waiting[1].done()
        assert await turns(ours, "ow") == "wo"


async def turns_once(ours: Precedence) -> None:
    async with ours.turn():
        await asyncio.sleep(0)
