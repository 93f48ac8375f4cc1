"""What is counted and measured: each thing where it happens, and told to nobody else."""

from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col
from starlette.applications import Starlette
from starlette.routing import Route
from support.deliveries import all_said
from support.figures import Figures, scraped
from support.office import CHANNEL, Office

from bot import metrics, settings
from bot.app import create_app
from bot.health import Insiders, Measures
from bot.metrics import Metrics
from sandbox.slack import failures
from sandbox.thumbtack import bodies
from storage import checkup, measuring, outbox
from storage.database import StorageError
from storage.models import Connection, Environment, Outbox
from storage.outbox import Kind
from webhooks import ingest

TOKEN = "token-of-the-watch"
NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


class Undone(Exception):  # noqa: N818 -- it says what happened
    """What was written is rolled back: nothing of it may be delivered."""


async def lead(place: Office) -> str:
    body = bodies.lead(bodies.SCENES[2])
    assert (await place.post("/v1/lead", body)).status_code == 200
    return body["leadID"]


# On the way from Thumbtack to Slack


async def test_a_lead_is_counted_at_each_step(place: Office):
    before = await scraped(place.http)
    assert before("webhooks_accepted_total", route="/v1/lead") is None
    await lead(place)
    await all_said(place)
    now = await scraped(place.http)
    assert now("webhooks_accepted_total", route="/v1/lead") == 1
    assert now("webhooks_ingested_total") == 1
    assert now("deliveries_done_total", kind="post_lead") == 1
    assert now("webhook_to_slack_seconds_count", kind="post_lead") == 1
    assert (now("ack_seconds_count"), now("ingest_seconds_count")) == (1, 1)
    assert 0 < now("ack_seconds_sum") < 5
    for queue in ("inbox", "outbox"):
        assert [now(f"{queue}_{name}") for name in ("waiting", "oldest_seconds", "dead")] == [0, 0, 0]
    assert 0 <= now("last_webhook_age_seconds") < 60


async def test_each_refusal_is_counted_under_its_reason(place: Office):
    await place.post("/v1/lead", bodies.lead(), auth=("thumbtack", "wrong"))
    await place.http.post("/v1/lead", content=b"{", auth=("thumbtack", "wrong"))
    await place.post("/v1/lead", {})
    await place.http.post("/slack/events", content=b"{}")
    found = await scraped(place.http)
    assert found.of("webhooks_refused_total") == {"credentials": 2, "shape": 1}
    assert found.of("slack_requests_total") == {"401": 1}
    assert found("webhooks_refused_total", reason="storage") == 0, "it stands there before it rises"


async def test_a_body_that_is_not_understood_is_counted_once_and_stands_until_it_is_tried_again(
    place: Office, monkeypatch
):
    async def cursed(_page, _fact):
        raise ZeroDivisionError

    monkeypatch.setattr(ingest, "write", cursed)
    await lead(place)
    await place.ingested()
    found = await scraped(place.http)
    assert (found("webhooks_not_understood_total"), found("inbox_dead"), found("webhooks_ingested_total")) == (1, 1, 0)


async def test_what_waits_for_slack_is_measured_from_the_webhook_on(place: Office):
    place.slack.faults.stand("chat.postMessage", failures.slack_error("internal_error"))
    await lead(place)
    await place.at_rest()
    await place.advance(minutes=20)
    await place.at_rest()
    waiting = await scraped(place.http)
    assert waiting("outbox_waiting") > 0
    assert waiting("outbox_oldest_seconds") > 1_199, "also of what was put off since"
    assert waiting("deliveries_retried_total", kind="post_lead", reason="slack_unavailable") == 2
    place.slack.faults.clear()
    await place.advance(minutes=2)
    await all_said(place)
    done = await scraped(place.http)
    assert done("webhook_to_slack_seconds_sum", kind="post_lead") > 1_300
    assert (done("outbox_waiting"), done("outbox_oldest_seconds")) == (0, 0)


async def test_a_backlog_of_webhooks_is_part_of_the_way_to_slack(place: Office, monkeypatch):
    """The row was stored ten minutes ago; nobody had read it yet."""
    take = ingest.inbox.take

    async def late(tx, *, now):
        row = await take(tx, now=now)
        return row and replace(row, received_at=row.received_at - timedelta(minutes=10))

    monkeypatch.setattr(ingest.inbox, "take", late)
    await lead(place)
    await all_said(place)
    found = await scraped(place.http)
    assert found("ingest_seconds_sum") > 599
    assert found("webhook_to_slack_seconds_sum", kind="post_lead") > 599


async def test_what_was_given_up_is_counted_and_stands_until_somebody_tries_again(place: Office):
    place.slack.faults.stand("chat.postMessage", failures.slack_error("odd_error"))
    await lead(place)
    await place.at_rest()
    found = await scraped(place.http)
    assert found("deliveries_dead_total", kind="post_lead", reason="odd_error") == 1
    dead = [one for one in await place.rows(Outbox) if one.state == "dead"]
    assert found("outbox_dead") == len(dead) > 0


async def test_a_channel_that_is_closed_is_held_while_something_waits_for_it(place: Office):
    await place.at_rest()
    await place.slack.remove_bot(CHANNEL)
    await lead(place)
    await place.at_rest()
    assert (await scraped(place.http))("held_channels") == 1
    await place.slack.invite_bot(CHANNEL)
    await all_said(place)
    assert (await scraped(place.http))("held_channels") == 0


async def test_what_is_to_be_said_later_does_not_wait(place: Office):
    async with place.database.transaction() as tx:
        due_at = place.clock() + timedelta(hours=1)
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=place.clock(), due_at=due_at)
    found = await scraped(place.http)
    assert (found("outbox_waiting"), found("outbox_oldest_seconds")) == (0, 0)


async def test_what_waited_for_its_time_waits_since_then(place: Office):
    """A reminder that was planned yesterday is not a day late when it is due."""
    now = place.clock()
    with suppress(Undone):
        async with place.database.transaction() as tx:
            early = now - timedelta(days=1)
            await outbox.enqueue(tx, Kind.REMIND, now=early, due_at=now - timedelta(seconds=30))
            measured = await measuring.measure(tx, environment=Environment.PRODUCTION, now=now)
            raise Undone
    assert (measured.outbox.waiting, measured.outbox.oldest) == (1, now - timedelta(seconds=30))


@pytest.mark.knobs(remind_after_minutes="5")
async def test_who_is_to_be_reminded_of_later_alarms_nobody(place: Office):
    """A lead that comes at night is looked at again and again until its business opens."""
    await lead(place)
    await place.at_rest()
    async with place.database.transaction() as tx:
        await tx.execute(update(Outbox).where(col(Outbox.kind) == Kind.REMIND).values(due_at=place.clock()))
    await place.advance()
    await place.at_rest()
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == Kind.REMIND]
    assert entry.due_at > place.clock(), "it was looked at, and is not due"
    found = await scraped(place.http)
    assert (found("outbox_waiting"), found("outbox_oldest_seconds")) == (0, 0)
    async with place.database.reading() as tx:
        assert (await checkup.read(tx, environment=Environment.PRODUCTION, now=place.clock())).outbox_reasons == {}


async def test_what_was_put_off_waits_since_it_was_enqueued(place: Office):
    """Its time moves on with each attempt, and would always look near."""
    now = place.clock()
    with suppress(Undone):
        async with place.database.transaction() as tx:
            early = now - timedelta(minutes=10)
            entry = await outbox.enqueue(tx, Kind.POST_NOTICE, now=early)
            row = await tx.get_one(Outbox, entry.id)
            await outbox.requeue(tx, row, due_at=now + timedelta(minutes=5), reason="no_channel")
            measured = await measuring.measure(tx, environment=Environment.PRODUCTION, now=now)
            raise Undone
    assert (measured.outbox.waiting, measured.outbox.oldest) == (1, early)


async def test_a_reply_that_waits_for_a_choice_is_told_apart(place: Office):
    async with place.database.transaction() as tx:
        entry = await outbox.enqueue(tx, Kind.SEND_REPLY, now=place.clock())
        await outbox.park(tx, await tx.get_one(Outbox, entry.id), reason="asked")
    found = await scraped(place.http)
    assert (found("outbox_parked"), found("outbox_waiting")) == (1, 0)


async def test_connections_are_told_by_how_they_stand(place: Office):
    connection = await place.connect()
    await place.advance(minutes=10)
    found = await scraped(place.http)
    assert found.of("connections") == {"active": 1}
    assert 600 <= found("token_age_seconds", generation="legacy") < 660
    for state, changes in {
        "failing": {"failing_since": place.clock()},
        "broken": {"failing_since": place.clock(), "state": "broken"},
    }.items():
        async with place.database.transaction() as tx:
            row = await tx.get(Connection, connection.id)
            for name, value in changes.items():
                setattr(row, name, value)
        found = await scraped(place.http)
        assert found.of("connections") == {state: 1}
        assert found("connections", state="active") == 0, "it stands there, or no rule could speak of it"


async def test_errors_of_our_own_code_are_counted_where_they_were_caught(place: Office, monkeypatch):
    async def broken(*_):
        raise ValueError("what a customer wrote")

    monkeypatch.setattr(place.door.app.state.services.slack, "call", broken)
    await lead(place)
    await place.at_rest()
    monkeypatch.undo()
    place.http._transport.raise_app_exceptions = False
    monkeypatch.setattr("bot.health.Ready._reason", broken)
    assert (await place.http.get("/readyz")).status_code == 500
    found = await scraped(place.http)
    assert found("mistakes_total", where="delivery") >= 1
    assert found("mistakes_total", where="request") == 1
    assert (found("mistakes_total", where="task"), found("mistakes_total", where="job")) == (0, 0)


# With the database away


class Away:
    """A database that does not answer."""

    def reading(self):
        raise StorageError("away: postgresql+asyncpg://somebody:secret@db/leads")


async def test_while_the_database_is_away_only_what_was_counted_is_told():
    """A figure of before would say that all is well."""
    counted = Metrics()
    counted.refused("storage")
    measures = Measures(Away(), counted, Insiders(None), environment=Environment.PRODUCTION, clock=lambda: NOW)
    app = Starlette(routes=[Route("/metrics", measures.__call__)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot") as http:
        found = await scraped(http)
    assert (found("database_up"), found("outbox_waiting"), found("connections", state="broken")) == (0, None, None)
    assert found("webhooks_refused_total", reason="storage") == 1


# Who is told

CALLERS = [
    pytest.param(("127.0.0.1", 1), {}, 200, id="on this machine"),
    pytest.param(("127.0.0.1", 1), {"X-Forwarded-For": "203.0.113.9"}, 401, id="through a proxy on this machine"),
    pytest.param(("203.0.113.9", 1), {}, 401, id="from elsewhere"),
    pytest.param(("203.0.113.9", 1), {"Authorization": f"Bearer {TOKEN}"}, 200, id="with the token"),
    pytest.param(("203.0.113.9", 1), {"Authorization": f"bearer  {TOKEN}"}, 200, id="with the token, spelt otherwise"),
    pytest.param(("127.0.0.1", 1), {"X-Forwarded-For": "::1", "Authorization": f"Bearer {TOKEN}"}, 200, id="both"),
    pytest.param(("203.0.113.9", 1), {"Authorization": f"Bearer {TOKEN}x"}, 401, id="with another token"),
    pytest.param(("203.0.113.9", 1), {"Authorization": "Bearer "}, 401, id="with an empty token"),
    pytest.param(("203.0.113.9", 1), {"Authorization": f"Basic {TOKEN}"}, 401, id="with another scheme"),
    pytest.param(("203.0.113.9", 1), {"Authorization": b"Bearer t\xc3\xb8ken"}, 401, id="with odd bytes"),
]


@asynccontextmanager
async def asked(url, *, client, **knobs):
    """An HTTP client at this address, of a bot whose database was never made."""
    app = create_app(settings.load(_env_file=None, database_url=url, **knobs))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app, client=client), base_url="http://bot") as http:
        yield http
    await app.state.services.database.close()
    await app.state.services.thumbtack.aclose()


@pytest.mark.parametrize(("client", "headers", "status"), CALLERS)
async def test_figures_and_reasons_are_for_insiders(sqlite_url, client, headers, status):
    async with asked(sqlite_url, client=client, metrics_token=TOKEN) as http:
        ready, told = [await http.get(path, headers=headers) for path in ("/readyz", "/metrics")]
    is_inside = status == 200
    assert ready.status_code == 503
    assert ("reason" in ready.json()) is is_inside
    assert told.status_code == status
    assert ("corkboard_" in told.text) is is_inside
    if not is_inside:
        assert (told.json()["reason"], told.headers["www-authenticate"]) == ("outsider", 'Bearer realm="corkboard"')


async def test_without_a_token_no_bearer_opens(sqlite_url):
    async with asked(sqlite_url, client=("203.0.113.9", 1)) as http:
        for given in ("Bearer ", "Bearer None", "Bearer"):
            assert (await http.get("/metrics", headers={"Authorization": given})).status_code == 401


# As Prometheus reads it


def test_reasons_do_not_grow_without_end():
    counted = Metrics()
    for number in range(500):
        counted.retried("post_lead", f"odd_error_{number}")
    counted.died("post_lead", "Words of somebody: 555-0100")
    found = Figures(counted.written(None, now=NOW).decode())
    reasons = [one.labels["reason"] for one in found.samples if one.name == "corkboard_deliveries_retried_total"]
    assert len(reasons) == metrics.REASONS_KEPT + 1
    assert found("deliveries_retried_total", kind="post_lead", reason="other") == 500 - metrics.REASONS_KEPT
    assert found("deliveries_dead_total", kind="post_lead", reason="other") == 1


def test_it_also_tells_how_the_process_fares():
    found = Figures(Metrics().written(None, now=NOW).decode())
    assert "process_resident_memory_bytes" in found.families
    assert not [name for name in found.families if name.endswith("_created")]


async def test_the_answer_is_text_that_nobody_keeps(place: Office):
    answer = await place.http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert (await place.http.post("/metrics")).status_code == 405
