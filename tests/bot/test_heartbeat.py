"""The watch outside hears of us each minute while something can be stored, and never more often."""

import asyncio
import logging

import pytest
import structlog
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from support.figures import scraped
from support.office import Office

from bot import heartbeat, jobs, settings
from bot.jobs import JOBS, Scheduler, under_lease
from sandbox.servers import serving

JOB = next(job for job in JOBS if job.name == "beat")
WAY = "/ping/a-secret-way"


class Watch:
    """Hears pings, and answers as it is told to."""

    def __init__(self):
        self.heard = []
        self.has_heard = asyncio.Event()
        self.answer = Response(status_code=200)
        self.app = Starlette(routes=[Route("/{path:path}", self._hear)])

    async def _hear(self, request):
        self.heard.append((request.method, request.url.path, request.headers["user-agent"].partition("/")[0]))
        self.has_heard.set()
        return self.answer


@pytest.fixture
async def watch():
    here = Watch()
    async with serving(here.app) as here.address:
        yield here


@pytest.fixture
async def bot(place: Office, watch):
    """A running bot that the watch listens to; its jobs run when a test says so."""
    await place.stop()
    await place.start(heartbeat_url=f"{watch.address}{WAY}")
    return place


async def beat(place: Office, *, owner: str = "one"):
    await under_lease(place.door.app.state.services, JOB, owner)


async def test_it_is_heard_once_a_minute_however_many_replicas_there_are(bot, watch):
    await asyncio.gather(*(beat(bot, owner=owner) for owner in ("one", "two", "three")))
    assert watch.heard == [("GET", WAY, "Corkboard")]
    await bot.advance(minutes=1)
    await asyncio.gather(*(beat(bot, owner=owner) for owner in ("two", "three")))
    assert len(watch.heard) == 2, "where the first is gone, another is heard"
    assert JOB.every.total_seconds() == 60


async def test_the_program_is_heard_by_itself(bot, watch, monkeypatch):
    monkeypatch.setattr(jobs, "FIRST_AFTER", jobs.timedelta())
    scheduler = Scheduler(bot.door.app.state.services, [JOB])
    scheduler.start()
    async with asyncio.timeout(60):
        await watch.has_heard.wait()
    await scheduler.stop()
    assert watch.heard == [("GET", WAY, "Corkboard")]


async def refuse(watch):
    watch.answer = Response(status_code=500)


async def send_elsewhere(watch):
    watch.answer = RedirectResponse(f"{watch.address}/elsewhere")


@pytest.mark.parametrize(
    ("fail", "reason"), [(refuse, "http_500"), (send_elsewhere, "http_307")], ids=["refused", "sent elsewhere"]
)
async def test_a_ping_that_is_not_heard_is_told_and_not_repeated(bot, watch, fail, reason):
    await fail(watch)
    with structlog.testing.capture_logs() as told:
        await beat(bot)
    assert told == [{"event": "heartbeat_not_heard", "log_level": "warning", "reason": reason}]
    assert len(watch.heard) == 1
    assert (await scraped(bot.http))("job_failures_total", job="beat") == 1


async def test_nobody_there_is_told_without_the_address(bot, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    await bot.stop()
    await bot.start(heartbeat_url=f"http://127.0.0.1:1{WAY}")
    with structlog.testing.capture_logs() as told:
        await beat(bot)
    [not_heard] = [one for one in told if one["event"] == "heartbeat_not_heard"]
    assert not_heard["reason"] == "ClientConnectorError"
    assert "secret" not in caplog.text + str(told)


async def test_a_watch_that_does_not_answer_is_given_up(bot, watch, monkeypatch):
    monkeypatch.setattr(heartbeat, "TIMEOUT", heartbeat.aiohttp.ClientTimeout(total=0.05))

    async def never(_request):
        await asyncio.Event().wait()

    watch.app.router.routes[:] = [Route("/{path:path}", never)]
    with structlog.testing.capture_logs() as told:
        await beat(bot)
    assert [(one["event"], one["reason"]) for one in told] == [("heartbeat_not_heard", "TimeoutError")]


async def test_where_nothing_can_be_stored_it_is_silent(bot, watch):
    async with bot.database.transaction() as tx:
        await tx.execute(text("DROP TABLE lease"))
    with structlog.testing.capture_logs() as told:
        await beat(bot)
    assert watch.heard == []
    assert [(one["event"], one["job"]) for one in told] == [("job_failed", "beat")]
    assert (await scraped(bot.http))("job_failures_total", job="beat") == 1


async def test_without_an_address_nobody_is_called(place: Office, watch):
    await beat(place)
    assert watch.heard == []


@pytest.mark.parametrize("url", ["http://watch.example/ping", "ftp://127.0.0.1/ping", "watch.example", "https://"])
def test_only_https_or_this_machine_is_called(url):
    with pytest.raises(settings.SettingsError, match="HEARTBEAT_URL: must be an address that begins with https://"):
        settings.load(_env_file=None, heartbeat_url=url)
    assert WAY not in repr(settings.load(_env_file=None, heartbeat_url=f"https://watch.example{WAY}"))
