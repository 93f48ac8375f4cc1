"""The composition root: what is missing switches its part off, what is wrong is refused, and the life ends cleanly."""

import asyncio
import gc
from datetime import timedelta

import asyncpg
import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url, update
from structlog.testing import capture_logs
from support.office import CHANNEL, _is_of_the_bot

from bot import app as bot_app
from bot import health, settings
from bot.app import NotServable, create_app
from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from storage import migrate
from storage.database import Database
from storage.models import Environment, Inbox, Outbox, Thread, WorkState
from storage.vault import VaultError
from webhooks.ingest import Ingest

KEY = "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="
ROUTES = [
    ("POST", "/v1/lead"),
    ("POST", "/v1/message"),
    ("PUT", "/v1/lead/update"),
    ("POST", "/v1/review"),
    ("POST", "/staging/v1/lead"),
    ("POST", "/staging/v1/message"),
    ("PUT", "/staging/v1/lead/update"),
    ("POST", "/staging/v1/review"),
]
PRIVATE = "4155550134"


def made(database_url, **knobs):
    """The program with these settings, not started."""
    return create_app(settings.load(_env_file=None, database_url=database_url, **{"encryption_keys": KEY} | knobs))


def asking(app):
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://bot")


def ours():
    """The tasks of the program."""
    return [task for task in asyncio.all_tasks() if _is_of_the_bot(task)]


async def migrated(database_url):
    database = Database(database_url)
    await migrate.upgrade(database)
    await database.close()


async def connections(postgres, database_url):
    """How many connections PostgreSQL has to this database."""
    connection = await asyncpg.connect(postgres)
    try:
        name = make_url(database_url).database
        return await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await connection.close()


# What is missing


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"thumbtack_webhook_username": "thumbtack"},
        {"thumbtack_webhook_password": "let-me-in"},
        {"thumbtack_webhook_username": "thumbtack", "thumbtack_webhook_password_previous": "let-me-in"},
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_thumbtack_s_credentials_its_routes_are_not_configured(database_url, knobs):
    await migrated(database_url)
    app = made(database_url, **knobs)
    async with app.router.lifespan_context(app), asking(app) as http:
        for method, path in ROUTES:
            answer = await http.request(method, path, json=bodies.lead(), auth=("thumbtack", "let-me-in"))
            assert (answer.status_code, answer.json()["reason"]) == (503, "not_configured")
        for path in ("/healthz", "/readyz"):
            assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize(
    "knobs", [{}, {"slack_bot_token": "xoxb-1"}, {"slack_signing_secret": "signed"}], ids=["neither", "token", "secret"]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_slack_its_route_is_not_configured(database_url, knobs):
    await migrated(database_url)
    app = made(database_url, slack_api_url="http://127.0.0.1:9/api/", **knobs)
    async with app.router.lifespan_context(app), asking(app) as http:
        answer = await http.post("/slack/events", json={"type": "url_verification", "challenge": "c"})
        assert (answer.status_code, answer.json()["reason"]) == (503, "not_configured")
        assert (await http.get("/readyz")).status_code == 200


async def test_what_is_stored_waits_until_slack_is_configured(place):
    await place.stop()
    await place.start(slack_bot_token=None, slack_signing_secret=None)
    lead = bodies.lead()
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.ingested()
    assert place.cards == []
    (entry,) = [one for one in await place.rows(Outbox) if one.kind == "post_lead"]
    assert (entry.state, entry.attempt) == (WorkState.PENDING, 0)
    await place.stop()
    await place.start(slack_bot_token="xoxb-of-the-tests", slack_signing_secret="signing-secret-of-the-tests")
    await place.seen(lambda: place.cards)
    await place.at_rest()
    assert len(place.cards) == 1


async def test_what_is_stored_waits_for_a_channel(place):
    await place.stop()
    await place.start(slack_leads_channel=None)
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.ingested()
    assert place.slack.messages(CHANNEL) == []
    await place.stop()
    await place.start(slack_leads_channel=CHANNEL)
    await place.advance(minutes=2)  # it is looked at again after a while
    await place.seen(lambda: place.cards)


async def test_the_password_before_is_accepted_while_it_is_replaced(place):
    await place.stop()
    await place.start(thumbtack_webhook_password="newer", thumbtack_webhook_password_previous="let-me-in")
    for password, status in (("newer", 200), ("let-me-in", 200), ("older", 401)):
        answer = await place.post("/v1/lead", bodies.lead(), auth=("thumbtack", password))
        assert answer.status_code == status


# What is wrong


async def test_other_keys_are_refused_and_the_right_one_among_several_opens(place):
    await place.stop()
    other = Fernet.generate_key().decode()
    with pytest.raises(VaultError, match="ENCRYPTION_KEYS"):
        await place.start(encryption_keys=other)
    assert ours() == []
    await place.start(encryption_keys=f"{other},{KEY}")
    assert (await place.http.get("/readyz")).status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_on_postgresql_a_key_is_required(database_url):
    with pytest.raises(VaultError, match="required on PostgreSQL; make a key with `corkboard keys new`"):
        made(database_url, encryption_keys="")


async def test_beside_sqlite_a_key_is_made_and_used_again(sqlite_url, tmp_path):
    await migrated(sqlite_url)
    for _ in range(2):
        app = made(sqlite_url, encryption_keys="")
        async with app.router.lifespan_context(app):
            key = (tmp_path / "corkboard.key").read_text()
    (tmp_path / "corkboard.key").write_text(Fernet.generate_key().decode())
    app = made(sqlite_url, encryption_keys="")
    with pytest.raises(VaultError):
        async with app.router.lifespan_context(app):
            pass
    (tmp_path / "corkboard.key").write_text(key)
    app = made(sqlite_url, encryption_keys="")
    async with app.router.lifespan_context(app):
        pass


async def test_a_database_without_tables_is_not_served(database_url):
    app = made(database_url)
    with pytest.raises(NotServable, match="no tables yet: run `corkboard db upgrade`"):
        async with app.router.lifespan_context(app):
            pass
    assert ours() == []


# From the first line to the last


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_is_opened_before_the_life_begins(database_url, tmp_path):
    made(database_url)
    assert list(tmp_path.iterdir()) == []
    assert ours() == []


async def test_at_the_end_nothing_is_left_running_or_open(place, postgres):
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: place.cards)
    assert {task.get_name() for task in ours()} >= {"dispatch", "ingest", "inbox"}
    await place.database.close()  # the test's own connections
    with capture_logs() as said:
        await place.stop()
    assert [one["event"] for one in said][-1] == "stopped"
    assert [one for one in said if one["log_level"] != "info"] == []
    assert ours() == []
    if not place.database.is_sqlite:
        assert await connections(postgres, place.database_url) == 0
    gc.collect()  # a connection that was forgotten would warn, and warnings are errors


async def test_what_is_under_way_is_finished_and_the_rest_waits_for_the_next_start(place):
    place.slack.faults.add("chat.postMessage", Fault(delay=0.2))
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.ingested()
    await place.stop()
    await place.start()
    await place.seen(lambda: place.cards)
    await place.at_rest()
    assert len(place.cards) == 1
    assert len(await place.rows(Thread)) == 1


async def test_a_webhook_that_comes_after_the_end_is_sent_again_by_thumbtack(place):
    lead = bodies.lead()
    await place.stop()
    answer = await place.post("/v1/lead", lead)
    assert (answer.status_code, answer.json()["reason"]) == (503, "storage")
    assert "retry-after" in answer.headers
    await place.start()
    assert (await place.post("/v1/lead", lead)).status_code == 200
    assert len(await place.rows(Inbox)) == 1


async def test_webhooks_that_wait_at_the_end_are_still_stored(place):
    """All come in one turn of the loop, and the end with them: who hears 200 is stored, who is not hears 503."""
    leads = [bodies.lead() for _ in range(8)]
    *answers, _ = await asyncio.gather(*(place.post("/v1/lead", lead) for lead in leads), place.stop())
    assert {answer.status_code for answer in answers} <= {200, 503}
    accepted = {lead["leadID"] for lead, answer in zip(leads, answers, strict=True) if answer.status_code == 200}
    assert {row.lead_thumbtack_id for row in await place.rows(Inbox)} == accepted


async def test_a_task_that_breaks_is_started_again(place, monkeypatch):
    monkeypatch.setattr(bot_app, "RESTART_AFTER", 0)
    step, broke = Ingest.step, []

    async def breaks_twice(self):
        if len(broke) < 2:
            broke.append(PRIVATE)
            raise KeyError(PRIVATE)
        return await step(self)

    monkeypatch.setattr(Ingest, "step", breaks_twice)
    with capture_logs() as said:
        assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
        await place.seen(lambda: place.cards)
    told = [one for one in said if one["event"] == "task_broke"]
    assert told == [{"event": "task_broke", "log_level": "critical", "task": "ingest", "error": "KeyError"}] * 2


async def test_while_a_task_waits_to_be_started_again_the_program_can_end(place, monkeypatch):
    monkeypatch.setattr(bot_app, "RESTART_AFTER", 3_600)
    broke = asyncio.Event()

    async def breaks(_self):
        broke.set()
        raise KeyError(PRIVATE)

    monkeypatch.setattr(Ingest, "step", breaks)
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200  # accepted all the same
    async with asyncio.timeout(5):
        await broke.wait()
        await place.stop()
    assert ours() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # elsewhere others may live: claims run out
async def test_what_an_ended_process_had_claimed_goes_on_at_once_on_sqlite(place):
    await place.stop()
    await place.start(slack_leads_channel=None)
    assert (await place.post("/v1/lead", bodies.lead())).status_code == 200
    await place.ingested()
    await place.stop()
    now = place.clock()
    async with place.database.transaction() as tx:
        claim = {"claimed_by": "ended", "claimed_until": now + timedelta(hours=1), "due_at": now}
        await tx.execute(update(Outbox).values(**claim))
    await place.start(slack_leads_channel=CHANNEL)
    await place.seen(lambda: place.cards, within=5)


# Mistakes of ours


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_mistake_of_ours_is_a_bare_500(database_url, monkeypatch):
    async def breaks(_self):
        raise KeyError(PRIVATE)

    monkeypatch.setattr(health.Ready, "_reason", breaks)
    await migrated(database_url)
    app = made(database_url)
    async with app.router.lifespan_context(app), asking(app) as http:
        with capture_logs() as said:
            answer = await http.get("/readyz")
        assert (answer.status_code, answer.content) == (500, b"")
        assert said == [{"event": "request_broke", "log_level": "error", "error": "KeyError"}]
        assert (await http.get("/healthz")).status_code == 200


async def test_an_address_that_is_not_there_is_a_problem(place):
    answer = await place.http.get("/admin")
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_process_starts_with_comes_from_the_environment(database_url, environment, monkeypatch):
    configured = []
    monkeypatch.setattr(bot_app.logs, "configure", lambda *form: configured.append(form))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ENCRYPTION_KEYS", KEY)
    monkeypatch.setenv("THUMBTACK_ENVIRONMENT", environment)
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("LOG_LEVEL", "warning")
    app = bot_app.from_environment()
    assert configured == [("json", "warning")]
    assert app.state.services.settings.thumbtack_environment is environment
    assert str(app.state.services.database.file) in database_url
