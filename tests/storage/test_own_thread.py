"""A thread of one's own: one thing after the other, and whoever asked hears what came of it."""

import asyncio
import threading
import time

import pytest

from storage.own_thread import OwnThread


async def test_all_is_done_in_one_other_thread_in_the_order_in_which_it_was_asked():
    own, done = OwnThread("ours"), []

    def work(number: int) -> str:
        time.sleep(0.001)
        done.append(number)
        return threading.current_thread().name

    names = await asyncio.gather(*(own.do(lambda number=number: work(number)) for number in range(20)))
    assert set(names) == {"ours"}
    assert done == list(range(20))
    await own.close()


async def test_what_goes_wrong_is_raised_where_it_was_asked_and_the_next_is_done():
    own = OwnThread("ours")
    with pytest.raises(ZeroDivisionError):
        await own.do(lambda: 1 // 0)
    assert await own.do(lambda: 1) == 1
    await own.close()


async def test_who_stops_waiting_stops_nothing():
    own, begun, may_end, done = OwnThread("ours"), threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        may_end.wait(10)
        done.append("this")

    gone = asyncio.create_task(own.do(work))
    await asyncio.to_thread(begun.wait, 10)
    gone.cancel()
    may_end.set()
    assert await own.do(lambda: done.append("next")) is None
    assert done == ["this", "next"]
    await own.close()


async def test_closing_waits_for_what_is_under_way_and_ends_the_thread():
    own, done = OwnThread("ours"), []
    under_way = asyncio.create_task(own.do(lambda: (time.sleep(0.05), done.append("this"))))
    await asyncio.sleep(0)
    await own.close()
    assert done == ["this"]
    await under_way
    for _ in range(1000):
        if "ours" not in {thread.name for thread in threading.enumerate()}:
            break
        await asyncio.sleep(0.01)
    assert "ours" not in {thread.name for thread in threading.enumerate()}


async def test_one_that_was_never_asked_is_closed_at_once():
    await OwnThread("ours").close()
