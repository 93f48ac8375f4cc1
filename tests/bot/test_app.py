"""The program as a whole: what it is made of, how it begins, what it survives and how it ends."""

import asyncio
import gc

import httpx
import pytest
from support.office import Office

from bot import app as composition
from bot import settings
from bot.app import NotServable, create_app, make_vault
from sandbox.thumbtack import bodies
from storage import migrate
from storage.database import Database
from storage.models import Inbox, Outbox
from storage.vault import VaultError

OTHER_KEY = "1cR9uTJ8yVr2Y4mB7nXq0wZkS5pLdEaHfGhJiKlMnO0="


async def begins(app):
    async with app.router.lifespan_context(app):
        pass


async def test_nothing_is_opened_before_it_begins(sqlite_url, tmp_path):
    create_app(settings.load(_env_file=None, database_url=sqlite_url, encryption_keys=OTHER_KEY))
    assert list(tmp_path.iterdir()) == []


async def test_a_database_without_the_newest_shape_is_not_served(empty_database_url):
    app = create_app(settings.load(_env_file=None, database_url=empty_database_url, encryption_keys=OTHER_KEY))
    with pytest.raises(NotServable, match="corkboard db upgrade"):
        await begins(app)
    gc.collect()  # nothing stays open: it would be complained about


async def test_a_database_that_was_sealed_with_other_keys_is_not_served(place: Office):
    await place.stop()
    place.knobs["encryption_keys"] = OTHER_KEY
    with pytest.raises(VaultError, match="ENCRYPTION_KEYS"):
        await place.start()
    place.knobs["encryption_keys"] = f"{OTHER_KEY},zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="
    await place.start()


def test_postgresql_needs_keys_that_all_replicas_have(sqlite_url, tmp_path):
    database = Database("postgresql+asyncpg://db/corkboard")
    with pytest.raises(VaultError, match="ENCRYPTION_KEYS is required on PostgreSQL"):
        make_vault(settings.load(_env_file=None), database)
    file = Database(sqlite_url)
    sealed = make_vault(settings.load(_env_file=None), file).seal("token")
    assert make_vault(settings.load(_env_file=None), file).open(sealed) == "token"
    assert (tmp_path / "corkboard.key").exists()


async def test_without_slack_or_thumbtack_what_arrives_is_kept_and_the_rest_says_so(place: Office):
    await place.stop()
    for name in list(place.knobs):
        if name.startswith(("slack_bot", "slack_signing", "thumbtack_webhook")):
            del place.knobs[name]
    await place.start()
    for path in ("/v1/lead", "/slack/events"):
        answer = await place.post(path, bodies.lead())
        assert (answer.status_code, answer.json()["reason"]) == (503, "not_configured")
    assert (await place.http.get("/readyz")).status_code == 200
    assert await place.rows(Outbox) == []


async def test_a_task_that_breaks_is_started_again(place: Office, monkeypatch):
    monkeypatch.setattr(composition, "RESTART_AFTER", 0.0)
    await place.stop()
    runs = []
    run = composition.Dispatcher.run

    async def breaks_at_first(self):
        runs.append(self)
        if len(runs) < 3:
            raise ValueError("a mistake of ours")
        await run(self)

    monkeypatch.setattr(composition.Dispatcher, "run", breaks_at_first)
    await place.start()
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: place.cards)
    assert len(runs) == 3


async def test_a_mistake_in_a_request_is_a_500_and_says_nothing(place: Office, monkeypatch):
    async def broken(_self):
        raise ValueError("what a customer wrote")

    monkeypatch.setattr(composition.Ready, "_reason", broken)
    with pytest.raises(ValueError, match="customer"):
        await place.http.get("/readyz")
    place.http._transport.raise_app_exceptions = False
    answer = await place.http.get("/readyz")
    assert (answer.status_code, answer.json()["reason"], "customer" in answer.text) == (500, "mistake", False)


async def test_it_ends_with_what_arrived_stored_and_leaves_no_task_behind(place: Office):
    before = asyncio.all_tasks()
    await place.stop()
    await place.start()
    answers = await asyncio.gather(*(place.post("/v1/lead", bodies.lead()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    await place.stop()
    assert len(await place.rows(Inbox)) == 20
    ours = {task for task in asyncio.all_tasks() - before if "bot" in repr(task.get_coro())}
    assert ours == set()


async def test_it_can_begin_on_a_database_that_it_migrated_itself(empty_database_url):
    database = Database(empty_database_url)
    await migrate.upgrade(database)
    await database.close()
    for _ in range(2):
        app = create_app(settings.load(_env_file=None, database_url=empty_database_url, encryption_keys=OTHER_KEY))
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://bot") as http,
        ):
            assert (await http.get("/readyz")).json() == {"ready": True}
