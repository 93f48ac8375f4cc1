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
    own.end(int)


async def test_what_goes_wrong_is_raised_where_it_was_asked_and_the_next_is_done():
    own = OwnThread("ours")
    with pytest.raises(ZeroDivisionError):
        await own.do(lambda: 1 // 0)
    assert await own.do(lambda: 1) == 1
    own.end(int)


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
    own.end(int)


async def test_it_ends_once_all_is_done_that_was_asked_for_and_something_last():
    own, done = OwnThread("ours"), []
    under_way = asyncio.create_task(own.do(lambda: (time.sleep(0.05), done.append("this"))))
    await asyncio.sleep(0)
    thread = own._thread
    assert thread is not None
    own.end(lambda: (done.append("last"), 1 // 0))  # of which nobody is told
    own.end(lambda: done.append("again"))
    await under_way
    await asyncio.to_thread(thread.join, 10)
    assert (done, thread.is_alive(), own.is_idle) == (["this", "last"], False, True)


async def test_it_is_idle_as_long_as_it_has_nothing_to_do():
    own, may_end = OwnThread("ours"), threading.Event()
    assert own.is_idle
    asked = [asyncio.create_task(own.do(may_end.wait)), asyncio.create_task(own.do(lambda: 1 // 0))]
    await asyncio.sleep(0)
    assert not own.is_idle
    may_end.set()
    await asyncio.wait(asked)
    assert own.is_idle
    assert isinstance(asked[1].exception(), ZeroDivisionError)
    own.end(int)


async def test_one_that_was_never_asked_has_nothing_to_end():
    own, done = OwnThread("ours"), []
    own.end(lambda: done.append("last"))
    assert (done, own._thread) == ([], None)
