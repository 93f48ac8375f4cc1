"""Whether the process lives and whether a webhook can be stored; the reason is for whoever is on this machine."""

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Route
from support.office import Office, office

from bot import health
from bot.health import Insiders, Ready, healthz
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage import migrate
from storage.database import Database


@pytest.fixture
async def database(empty_database_url):
    opened = Database(empty_database_url)
    yield opened
    await opened.close()


def asked(database, *, client=("127.0.0.1", 4711)):
    """An HTTP client from that address, of the two routes alone."""
    app = Starlette(routes=[Route("/healthz", healthz), Route("/readyz", Ready(database, Insiders(None)).__call__)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app, client=client), base_url="http://bot")


async def test_a_running_bot_lives_and_is_ready(place: Office):
    for path, told in (("/healthz", {"alive": True}), ("/readyz", {"ready": True})):
        answer = await place.http.get(path)
        assert (answer.status_code, answer.json()) == (200, told)


async def test_that_the_others_are_away_does_not_make_it_unready(sqlite_url):
    """A balancer that went by anything but the database would turn Thumbtack's webhooks away."""
    async with office(sqlite_url) as place:
        place.slack.faults.stand("*", down())
        await place.stop()
        await place.start(slack_signing_secret="", thumbtack_legacy_api_url="http://127.0.0.1:1")
        await place.post("/v1/lead", bodies.lead())
        await place.seen(lambda: [call for call in place.slack.calls if call.status >= 500])
        for path in ("/healthz", "/readyz"):
            assert (await place.http.get(path)).status_code == 200
        assert (await place.post("/v1/lead", bodies.lead())).status_code == 200


async def test_without_tables_nothing_can_be_stored(database):
    if database.is_sqlite:
        database.file.touch()
    async with asked(database) as http:
        assert (await http.get("/healthz")).status_code == 200
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"ready": False, "reason": "The database has no tables yet: run `corkboard db upgrade`."}


@pytest.mark.parametrize(
    ("revision", "status", "reason"),
    [
        ("0000", 503, "No version of Corkboard up to this one made"),
        ("0001", 503, "The database has an older shape"),
        ("9999", 200, ""),
    ],
)
async def test_with_a_shape_of_before_nothing_can_be_stored_and_with_one_of_later_everything(
    database, revision, status, reason
):
    await migrate.upgrade(database)
    async with database.transaction() as tx:
        await tx.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    async with asked(database) as http:
        answer = await http.get("/readyz")
    assert (answer.status_code, answer.json().get("reason", "").startswith(reason)) == (status, True)


async def test_an_older_shape_is_told_with_what_to_do():
    shape = migrate.Shape(current="0001", head="0002")
    assert shape.advice == "The database has an older shape (0001, not 0002): run `corkboard db upgrade`."


@pytest.fixture
async def gone(database, tmp_path):
    """A database that was there once: its server does not know it any more, or its file holds something else."""
    await migrate.upgrade(database)
    async with asked(database) as http:
        assert (await http.get("/readyz")).status_code == 200
    await database.close()
    if not database.is_sqlite:
        return Database(database.url.set(database="there_is_none").render_as_string(hide_password=False))
    for file in tmp_path.glob("corkboard.db*"):
        file.write_bytes(b"this was a database once" * 100)
    return database


async def test_with_the_database_gone_nothing_can_be_stored(gone):
    async with asked(gone) as http:
        answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reason": "The database does not answer."}


async def test_a_file_that_was_deleted_under_us_stores_nothing(sqlite_url):
    """The connections go on with it, and all is lost when they end."""
    database = Database(sqlite_url)
    await migrate.upgrade(database)
    async with asked(database) as http:
        assert (await http.get("/readyz")).status_code == 200
        database.file.unlink()
        assert (await http.get("/readyz")).status_code == 503
    await database.close()


async def test_a_database_that_does_not_answer_in_time_does_not_answer(database, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.0)
    async with asked(database) as http:
        answer = await http.get("/readyz")
    assert answer.json() == {"ready": False, "reason": "The database does not answer."}


@pytest.mark.parametrize(
    ("client", "headers", "told"),
    [
        (("127.0.0.1", 1), {}, True),
        (("127.9.9.9", 1), {}, True),
        (("::1", 1), {}, True),
        (("10.0.0.7", 1), {}, False),
        (("203.0.113.9", 1), {}, False),
        (("somewhere", 1), {}, False),
        (None, {}, False),
        (("127.0.0.1", 1), {"X-Forwarded-For": "203.0.113.9"}, False),
        (("127.0.0.1", 1), {"Forwarded": "for=203.0.113.9"}, False),
        (("127.0.0.1", 1), {"X-Real-IP": "203.0.113.9"}, False),
        (("127.0.0.1", 1), {"Via": "1.1 proxy"}, False),
    ],
)
async def test_only_a_direct_caller_on_this_machine_is_told_the_reason(sqlite_url, client, headers, told):
    empty = Database(sqlite_url)
    async with asked(empty, client=client) as http:
        answer = await http.get("/readyz", headers=headers)
    assert answer.status_code == 503
    assert ("reason" in answer.json()) is told
    await empty.close()


async def test_being_asked_does_not_wait_for_who_writes(database):
    await migrate.upgrade(database)
    async with database.transaction() as tx, asked(database) as http:
        await tx.execute(text("INSERT INTO lane (key, held) VALUES ('x', false)"))
        assert (await http.get("/readyz")).status_code == 200
