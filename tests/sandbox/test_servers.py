"""The loopback server and the failures that every stand-in shares."""

import asyncio
import logging
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.faults import CutResponse, Fault, Faults, hold
from sandbox.servers import serving


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def get(address: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(address)


async def test_an_app_is_served_and_gone_afterwards():
    async with serving(Starlette(routes=[Route("/", hello)])) as address:
        assert (await get(address)).text == "hello"
    with pytest.raises(httpx.ConnectError):
        await get(address)


async def test_the_lifespan_is_entered_and_left():
    seen = []

    @asynccontextmanager
    async def lifespan(app: Starlette):
        seen.append("started")
        yield
        seen.append("stopped")

    async with serving(Starlette(routes=[Route("/", hello)], lifespan=lifespan), lifespan=True):
        assert seen == ["started"]
    assert seen == ["started", "stopped"]


async def test_an_app_that_does_not_start_is_an_error():
    @asynccontextmanager
    async def lifespan(app: Starlette):
        raise OSError("no database")
        yield

    with pytest.raises(RuntimeError, match="did not start"):
        async with serving(Starlette(lifespan=lifespan), lifespan=True):
            pass


async def test_a_request_in_flight_is_finished_when_the_server_stops():
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        arrived.set()
        await go_on.wait()
        return PlainTextResponse("finished")

    async with serving(Starlette(routes=[Route("/", slow)])) as address:
        asking = asyncio.create_task(get(address))
        await arrived.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
    assert (await asking).text == "finished"


async def test_a_request_that_never_ends_is_broken_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sandbox.servers._GRACE", 0.01)
    arrived = asyncio.Event()

    async def endless(request: Request) -> Response:
        arrived.set()
        await asyncio.Event().wait()
        return Response()

    async with serving(Starlette(routes=[Route("/", endless)])) as address:
        asking = asyncio.create_task(get(address))
        await arrived.wait()
    assert (await asking).status_code == 500


async def test_a_cut_answer_breaks_the_connection_and_is_no_error_in_the_log(caplog: pytest.LogCaptureFixture):
    async def broken(request: Request) -> Response:
        return CutResponse()

    with caplog.at_level(logging.WARNING):
        async with serving(Starlette(routes=[Route("/", broken)])) as address:
            with pytest.raises(httpx.RemoteProtocolError):
                await get(address)
    assert caplog.records == []


async def test_an_answer_is_held_no_longer_than_somebody_waits():
    given_up = asyncio.Event()

    async def slow(request: Request) -> Response:
        await request.body()
        await hold(request, 60)
        given_up.set()
        return Response()

    async with (
        serving(Starlette(routes=[Route("/", slow)])) as address,
        httpx.AsyncClient(trust_env=False, timeout=0.05) as client,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await client.get(address)
        await asyncio.wait_for(given_up.wait(), 2)


def test_failures_come_in_order_and_by_name_before_any():
    faults = Faults()
    first, second, anywhere = Fault(status=500), Fault(status=429), Fault(cut=True)
    faults.stand("*", anywhere)
    faults.add("send", first)
    faults.add("send", second, times=2)
    assert [faults.take("send") for _ in range(4)] == [first, second, second, anywhere]
    assert faults.take("other") is anywhere
    faults.clear("*")
    assert faults.take("other") is None
    faults.stand("send", first)
    assert [faults.take("send"), faults.take("send")] == [first, first]
    faults.clear()
    assert faults.take("send") is None


def test_a_failure_says_what_goes_over_the_wire():
    assert isinstance(Fault(cut=True).response(), CutResponse)
    assert isinstance(Fault(lose_answer=True).response(), CutResponse)
    page = Fault(status=503, body="<html>").response()
    assert (page.status_code, page.headers["content-type"], page.body) == (503, "text/html; charset=utf-8", b"<html>")
    refusal = Fault(status=429, body={"error": "slow down"}, headers={"retry-after": "3"}).response()
    assert (refusal.headers["retry-after"], refusal.body) == ("3", b'{"error":"slow down"}')
    assert [fault.instead for fault in (Fault(delay=1), Fault(lose_answer=True), Fault(cut=True), Fault(status=200))] == [
        False, False, True, True,
    ]  # fmt: skip
