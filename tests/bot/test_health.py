"""Whether the process lives and whether a webhook can be stored: nothing else, and the reason not for strangers."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from conftest import with_database
from sqlalchemy import make_url, text
from starlette.applications import Starlette
from starlette.routing import Route

from bot import health
from bot.health import PROXIES, Ready, healthz
from sandbox.faults import Fault
from sandbox.servers import serving
from storage import migrate
from storage.database import Database

READY = {"ready": True}
GONE = {"ready": False, "reason": "The database does not answer."}
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1"]


@asynccontextmanager
async def caller(app, *, host="127.0.0.1"):
    """Somebody who asks from this address."""
    transport = httpx.ASGITransport(app=app, client=(host, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as http:
        yield http


@pytest.fixture
async def database(database_url):
    opened = Database(database_url)
    await migrate.upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture
def app(database):
    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", Ready(database).__call__)])


async def asked(app, *, host="127.0.0.1", **headers):
    async with caller(app, host=host) as http:
        return await http.get("/readyz", headers=headers)


async def _reshape(database, revision):
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


async def _shapeless(database):
    async with database.transaction() as tx:
        await tx.execute(text("DELETE FROM alembic_version"))


@asynccontextmanager
async def _gone(database, postgres):
    """The database is not there: a directory in place of the file, or dropped from the server; then it is back."""
    if database.file is not None:
        aside = database.file.rename(database.file.with_name("aside"))
        database.file.mkdir()
        yield
        database.file.rmdir()
        aside.rename(database.file)
        return
    name = make_url(str(database.url)).database
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    yield
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


async def test_it_is_ready_when_a_webhook_can_be_stored(place):
    for path, said in (("/healthz", {"alive": True}), ("/readyz", READY)):
        answer = await place.http.get(path)
        assert (answer.status_code, answer.json()) == (200, said)
        assert "retry-after" not in answer.headers


async def test_nothing_else_makes_a_balancer_turn_thumbtack_away(place):
    """Slack and Thumbtack are down and nothing can be said: webhooks are still stored."""
    place.slack.faults.stand("*", Fault(status=503))
    place.thumbtack.faults.stand("*", Fault(status=503))
    assert (await place.post("/v1/lead", {"leadID": "7"})).status_code == 200
    assert (await place.http.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("reshape", "advice"),
    [
        (_shapeless, "The database has no tables yet: run `corkboard db upgrade`."),
        (lambda database: _reshape(database, "9999"), "A newer version of Corkboard shaped this database (9999; "),
    ],
)
async def test_another_shape_is_not_ready(app, database, reshape, advice):
    await reshape(database)
    answer = await asked(app)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["ready"] is False
    assert answer.json()["reason"].startswith(advice)


async def test_an_older_shape_is_not_ready_until_it_is_brought_up(app, database, monkeypatch):
    head = (await migrate.shape(database)).head
    monkeypatch.setattr(migrate, "_known", lambda: ("0002", head))  # this program is the next version
    answer = await asked(app)
    assert answer.status_code == 503
    assert answer.json()["reason"] == (
        f"The database has an older shape ({head}, not 0002): run `corkboard db upgrade`."
    )
    await _reshape(database, "0002")
    assert (await asked(app)).status_code == 200


@pytest.mark.parametrize("is_warm", [False, True], ids=["asked for the first time", "asked before"])
async def test_a_database_that_is_gone_is_not_ready(app, database, postgres, is_warm):
    await database.close()  # connections of before; a pool takes new ones
    if is_warm:
        assert (await asked(app)).status_code == 200
    async with _gone(database, postgres):
        answer = await asked(app)
        async with caller(app) as http:
            assert (await http.get("/healthz")).status_code == 200
    assert (answer.status_code, answer.json()) == (503, GONE)
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_server_that_is_gone_is_not_ready(database_url):
    url = make_url(database_url).set(host="127.0.0.1", port=1, query={})
    database = Database(url.render_as_string(hide_password=False))
    answer = await asked(Starlette(routes=[Route("/readyz", Ready(database).__call__)]))
    assert (answer.status_code, answer.json()) == (503, GONE)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_that_hangs_is_not_ready_in_time(app, database, monkeypatch, postgres):
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    connection = await asyncpg.connect(with_database(postgres, database.url.database).replace("+asyncpg", ""))
    async with connection.transaction():
        await connection.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(2):
            answer = await asked(app)
    assert (answer.status_code, answer.json()) == (503, GONE)
    await connection.close()
    monkeypatch.undo()
    assert (await asked(app)).status_code == 200


async def test_a_writer_that_is_busy_is_ready(app, database):
    async with database.transaction() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = version_num"))
        assert (await asked(app)).status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("host", "headers", "is_told"),
    [
        *((host, {}, True) for host in LOOPBACK),
        *(("127.0.0.1", {header: "127.0.0.1"}, False) for header in PROXIES),
        ("127.0.0.1", {"X-Forwarded-For": ""}, False),
        ("203.0.113.9", {}, False),
        ("10.0.0.7", {}, False),
        ("203.0.113.9", {"x-forwarded-for": "127.0.0.1"}, False),
        ("localhost.example", {}, False),
        ("", {}, False),
    ],
)
async def test_only_a_direct_caller_on_this_machine_is_told_why(app, database, host, headers, is_told):
    await _shapeless(database)
    answer = await asked(app, host=host, **headers)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert ("reason" in answer.json()) is is_told
    assert is_told or answer.json() == {"ready": False}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_over_a_real_socket_the_caller_is_told_too(app, database):
    await _shapeless(database)
    async with serving(app) as address, httpx.AsyncClient(base_url=address) as http:
        assert "reason" in (await http.get("/readyz")).json()
        assert "reason" not in (await http.get("/readyz", headers={"Via": "1.1 proxy"})).json()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_somebody_without_an_address_is_not_told(app, database):
    """A Unix socket has no address: who is behind it is not known."""
    await _shapeless(database)
    transport = httpx.ASGITransport(app=app)
    transport.client = None
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as http:
        assert (await http.get("/readyz")).json() == {"ready": False}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_balancer_may_ask_with_head_and_not_with_post(app, path):
    async with caller(app) as http:
        assert (await http.head(path)).status_code == 200
        assert (await http.post(path)).status_code == 405
