"""Webhooks that wait for their answer go first; other work stands back while they come, and only then."""

import asyncio

import pytest

from storage import precedence
from storage.precedence import LONGEST_REST, PAUSE, REST, Precedence


class Time:
    """Time that passes where somebody sleeps. `apart`: so many seconds are between webhooks; None: none comes."""

    def __init__(self) -> None:
        self.now, self.rested, self.apart = 1_000.0, 0.0, None
        self.ours = Precedence(exclusive=True, clock=lambda: self.now)
        self.next = self.now

    async def sleep(self, seconds: float) -> None:
        self.rested += seconds
        assert self.rested < 1_000.0, "it does not go on"
        until = self.now + max(seconds, 1e-6)  # a float may be too small to pass at all
        while self.apart is not None and self.next <= until:
            self.now = max(self.now, self.next)
            await self.store()
            self.next += self.apart
        self.now = until
        await REAL_SLEEP(0)

    async def store(self) -> None:
        """A webhook comes, and is stored at once."""
        self.ours.arrived()
        async with self.ours.first():
            pass

    def come(self, *, apart: float) -> None:
        """From now on webhooks come."""
        self.apart, self.next = apart, self.now + apart


REAL_SLEEP = asyncio.sleep


@pytest.fixture
def time(monkeypatch):
    time = Time()
    with monkeypatch.context() as patched:
        patched.setattr(precedence.asyncio, "sleep", time.sleep)
        yield time


async def work(time: Time, *, webhooks: int = 0, seconds: float = 0.0) -> None:
    async with time.ours.behind():
        for _ in range(webhooks):
            await time.store()
        time.now += seconds


async def test_nothing_rests_when_no_webhook_came(time):
    time.ours.arrived()
    for _ in range(3):
        await work(time, seconds=0.002)
    assert time.rested == 0.0


async def test_after_keeping_a_webhook_waiting_the_next_work_rests_longer_than_that_took(time):
    time.come(apart=0.001)
    await work(time, webhooks=1, seconds=0.02)
    await work(time)
    assert time.rested == pytest.approx(0.02 * REST)


async def test_however_much_came_it_goes_on_after_the_longest_rest(time):
    time.come(apart=0.001)
    for _ in range(30):
        await work(time, webhooks=100, seconds=0.2)
    before = time.rested
    await work(time)
    assert time.rested - before == pytest.approx(LONGEST_REST)


async def test_once_they_make_a_pause_it_goes_on(time):
    await work(time, webhooks=1, seconds=0.02)
    for _ in range(3):
        await work(time)
    assert time.rested == pytest.approx(PAUSE), "those that came while nobody could look had time to show, once"
    time.rested = 0.0
    time.come(apart=0.04)  # 25 a second
    for _ in range(10):
        await work(time, webhooks=1, seconds=0.02)
    assert 0.0 < time.rested < 10 * 2 * PAUSE
    time.come(apart=PAUSE / 2)
    time.rested = 0.0
    await work(time, webhooks=1, seconds=0.02)
    await work(time)
    assert time.rested > 0.02 * REST


@pytest.mark.parametrize("storing", ["waiting", "at it", "about to ask"])
async def test_while_one_writer_stores_webhooks_none_of_those_who_wait_for_it_makes_a_pause(time, storing):
    """They send the next once they are answered: a slow disk would have all others write as much as they do."""
    await work(time, webhooks=1, seconds=0.02)
    had = []

    async def rests() -> None:
        async with time.ours.behind():
            had.append(time.rested)

    async def stores() -> None:
        async with time.ours.first():
            await asyncio.gather(rests())

    if storing == "at it":
        await stores()
    elif storing == "waiting":
        async with time.ours.turn():
            waits = asyncio.create_task(stores())
            await REAL_SLEEP(0)
            await rests()
        await waits
    else:
        time.ours.arrived()
        await rests()
    assert had[0] == pytest.approx(0.02 * REST)


async def test_the_pause_begins_once_they_are_answered(time):
    await work(time, webhooks=1, seconds=0.02)
    async with time.ours.first():
        resting = asyncio.create_task(work(time))
        await REAL_SLEEP(0)
        time.now += 0.05
    answered = time.now
    await resting
    assert time.now == pytest.approx(answered + PAUSE)


async def test_where_the_database_has_many_writers_storing_is_in_nobodys_way(time):
    time.ours = Precedence(exclusive=False, clock=lambda: time.now)
    await work(time, webhooks=1, seconds=0.02)
    async with time.ours.first():
        await work(time)
    assert time.rested == pytest.approx(PAUSE)


async def test_what_was_waited_for_a_turn_is_not_rested_for(time):
    async def piece() -> None:
        async with time.ours.behind(), time.ours.turn():
            time.ours.arrived()

    time.come(apart=0.001)
    async with time.ours.turn():
        waiting = asyncio.create_task(piece())
        await REAL_SLEEP(0)
        time.now += 0.05
    await waiting
    await work(time)
    assert time.rested == 0.0


async def test_two_that_rest_have_the_time_of_one_and_take_turns(time):
    had = []

    async def works(letter: str) -> None:
        for _ in range(4):
            await work(time, webhooks=1, seconds=0.004)
            had.append(letter)
            await REAL_SLEEP(0)

    time.come(apart=0.001)
    await work(time, webhooks=1, seconds=0.004)
    await asyncio.gather(works("a"), works("b"))
    assert "".join(had) == "abababab"
    assert time.rested == pytest.approx(8 * 0.004 * REST)


async def test_a_webhook_at_the_gate_counts(sqlite_door, monkeypatch):
    rested = []

    async def rest(seconds: float) -> None:
        rested.append(seconds)

    async with sqlite_door.database.precedence.behind():
        await sqlite_door.post("/v1/lead", {"leadID": "1"})
    with monkeypatch.context() as patched:
        patched.setattr(precedence.asyncio, "sleep", rest)
        async with sqlite_door.database.precedence.behind():
            pass
    assert rested[0] > 0.0


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
