"""The commands: what they print, what they refuse with a sentence, and what they end with."""

import asyncio
import http.server
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import click
import pytest
import structlog
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet
from sqlalchemy import select
from support.commands import with_database
from support.papers import commands_of

from bot import cli, terminal
from storage import inbox, migrate, outbox, threads
from storage.database import Database, utcnow
from storage.file_lock import FileLock
from storage.inbox import Arrival, InboxWriter
from storage.models import Environment, Generation, Lead, Outbox, WorkState
from storage.outbox import Kind

KEY = "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="

Run = Callable[..., Result]


@pytest.fixture
def run() -> Iterator[Run]:
    """Run a command in this process; the log goes back to what it was afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        yield lambda *arguments, **settings: CliRunner().invoke(cli.main, arguments, env=settings)
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


@pytest.fixture
def migrated(sqlite_url: str) -> str:
    with_database(sqlite_url, migrate.upgrade)
    return sqlite_url


def commands(group: click.Command = cli.main, name: str = "corkboard") -> Iterator[tuple[str, click.Command]]:
    yield name, group
    if isinstance(group, click.Group):
        for word, command in commands_of(group).items():
            yield from commands(command, f"{name} {word}")


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_help_is_one_sentence(name, command):
    assert command.help is not None
    sentence = " ".join(command.help.split())
    assert sentence.endswith("."), name
    assert sentence.count(". ") == 0, name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (["--workers=2"], {}, ["SQLite is served by one process", "`corkboard setup` asks"]),
        (["--workers=0"], {}, ["0 is not in the range"]),
        (["--port=70000"], {}, ["70000 is not in the range"]),
        (["--port={taken}"], {}, ["Cannot listen at 127.0.0.1, port {taken}: address already in use"]),
        ([], {"SLACK_RING": "everybody", "DATABASE_URL": "mysql://"}, ["SLACK_RING", "DATABASE_URL"]),
        ([], {"DATABASE_URL": "sqlite+aiosqlite:///nowhere/corkboard.db"}, ["nowhere/corkboard.db: no such file"]),
        ([], {"DATABASE_URL": "sqlite+aiosqlite:///broken.db"}, ["Check DATABASE_URL"]),
        ([], {"DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:9/none"}, ["Check DATABASE_URL"]),
        ([], {"DATABASE_MIGRATE": "false"}, ["no tables yet", "corkboard db upgrade"]),
    ],
)
def test_serve_refuses_with_a_sentence_and_2(arguments, settings, says, tmp_path, run):
    (tmp_path / "broken.db").write_text("This is a letter, and no database. " * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("serve", *[argument.replace("{taken}", port) for argument in arguments], **settings)
    assert ended.exit_code == 2
    assert ended.stdout == ""
    for text in says:
        assert text.replace("{taken}", port) in ended.stderr


def test_serve_refuses_a_file_that_is_served(sqlite_url, tmp_path, run):
    with FileLock(tmp_path / "corkboard.db"):
        ended = run("serve", DATABASE_URL=sqlite_url)
    assert ended.exit_code == 2
    assert "holds" in ended.stderr


def test_serve_refuses_a_database_sealed_with_other_keys(sqlite_url, run):
    first = run("serve", "--host=256.0.0.1", DATABASE_URL=sqlite_url, ENCRYPTION_KEYS=KEY)
    assert "Cannot listen" in first.stderr  # it comes as far as that, and has sealed the database
    other = run("serve", "--host=256.0.0.1", DATABASE_URL=sqlite_url, ENCRYPTION_KEYS=Fernet.generate_key().decode())
    assert other.exit_code == 2
    assert "do not open what this database holds" in other.stderr


def test_an_env_file_that_cannot_be_read_is_told(tmp_path, run):
    (tmp_path / ".env").write_bytes(b"SLACK_RING=\xff")
    ended = run("outbox", "list")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("The file .env cannot be read")


def test_db_upgrade_and_check(sqlite_url, tmp_path, run):
    assert run("db", "check", DATABASE_URL=sqlite_url).exit_code == 2
    assert not (tmp_path / "corkboard.db").exists()
    upgraded = run("db", "upgrade", DATABASE_URL=sqlite_url)
    assert (upgraded.exit_code, upgraded.stdout) == (0, "The database has the newest shape.\n")
    checked = run("db", "check", DATABASE_URL=sqlite_url)
    assert (checked.exit_code, checked.stdout) == (0, "The database has the newest shape.\n")


def test_db_check_tells_of_an_older_shape_and_of_drift(migrated, run):
    async def change(statement: str, database: Database) -> None:
        async with database.engine.begin() as connection:
            await connection.exec_driver_sql(statement)

    with_database(migrated, lambda database: change("ALTER TABLE review DROP COLUMN rating", database))
    drifted = run("db", "check", DATABASE_URL=migrated)
    assert drifted.exit_code == 1
    assert "rating" in drifted.stderr
    with_database(migrated, lambda database: change("DELETE FROM alembic_version", database))
    older = run("db", "check", DATABASE_URL=migrated)
    assert older.exit_code == 1
    assert "corkboard db upgrade" in older.stderr


def test_keys_new_makes_a_key(run):
    key = run("keys", "new").stdout.strip()
    assert Fernet(key)
    assert key != run("keys", "new").stdout.strip()


def enqueued(url: str, count: int = 1) -> list[int]:
    """Entries that wait for an hour, about something nobody but the team may read."""

    async def write(database: Database) -> list[int]:
        later = utcnow() + timedelta(hours=1)
        async with database.transaction() as tx:
            entries = [
                await outbox.enqueue(
                    tx, Kind.POST_NOTICE, now=utcnow(), due_at=later, payload={"notice": "secret", "detail": "Maya"}
                )
                for _ in range(count)
            ]
            for entry in entries:
                await outbox.explain(tx, entry, "[channel_not_found")
            return [entry.id or 0 for entry in entries]

    return with_database(url, write)


def test_outbox_list_shows_what_waits_and_no_content(migrated, run):
    assert run("outbox", "list", DATABASE_URL=migrated).stdout == "Nothing.\n"
    (entry_id,) = enqueued(migrated)
    listed = run("outbox", "list", DATABASE_URL=migrated)
    heading, row = listed.stdout.splitlines()
    assert heading.split() == ["id", "kind", "lane", "state", "attempt", "due", "delivery", "reason"]
    assert row.split()[:3] == [str(entry_id), "post_notice", "pending"]
    assert row.rstrip().endswith("[channel_not_found")
    assert "Maya" not in listed.stdout


def test_a_long_list_says_that_there_may_be_more(migrated, run):
    enqueued(migrated, terminal.LISTED + 1)
    lines = run("outbox", "list", DATABASE_URL=migrated).stdout.splitlines()
    assert len(lines) == terminal.LISTED + 2
    assert lines[-1] == "These are the first 100; there may be more."


def test_outbox_retry(migrated, run):
    (entry_id,) = enqueued(migrated)
    retried = run("outbox", "retry", str(entry_id), DATABASE_URL=migrated)
    assert retried.exit_code == 0
    assert "within 5 seconds" in retried.stdout
    listed = run("outbox", "list", DATABASE_URL=migrated).stdout
    assert "channel_not_found" not in listed
    nothing = run("outbox", "retry", "999", DATABASE_URL=migrated)
    assert nothing.exit_code == 1
    assert "There is no entry 999" in nothing.stderr


def test_threads_read(migrated, run):
    async def lead(database: Database) -> None:
        async with database.transaction() as tx:
            known = Lead(environment=Environment.PRODUCTION, thumbtack_id="1", generation=Generation.LEGACY)
            tx.add(known)
            await tx.flush()
            await threads.attach(
                tx,
                lead_id=known.id,
                team_id="T0CORKBOARD",
                channel="C0LEADS",
                ts="1.1",
                delivery_id="0",
                as_placeholder=False,
                now=utcnow(),
            )

    async def planned(database: Database) -> list[Outbox]:
        async with database.reading() as tx:
            return list((await tx.execute(select(Outbox))).scalars())

    with_database(migrated, lead)
    read = run("threads", "read", "--since", "2h", DATABASE_URL=migrated, REPLY_MODE="quiet")
    assert (read.exit_code, read.stdout[-4:]) == (0, " 1.\n")
    (entry,) = with_database(migrated, planned)
    since = datetime.fromisoformat(entry.payload["since"])
    assert (entry.kind, entry.payload["quiet"]) == (Kind.READ_BACK, True)
    assert timedelta(hours=2) < utcnow() - since < timedelta(hours=2, minutes=11)


@pytest.mark.parametrize("length", ["", "2", "h", "0h", "15d", "-2h", "2 weeks", "²h"])
def test_threads_are_not_read_since_anything_else(migrated, run, length):
    refused = run("threads", "read", "--since", length, DATABASE_URL=migrated)
    assert refused.exit_code == 2
    assert "30m, 2h, 3d" in refused.stderr


def arrived(url: str, *, lead: str) -> int:
    """A webhook that could not be understood."""

    async def write(database: Database) -> int:
        writer = InboxWriter(database)
        running = asyncio.create_task(writer.run())
        await writer.append(
            Arrival(
                environment=Environment.PRODUCTION,
                route="/v1/lead",
                lane=f"production:{lead}",
                body=json.dumps({"leadID": lead, "customer": {"name": "Maya"}}).encode(),
                body_hash=lead,
                dedupe=f"/v1/lead {lead}",
                lead_thumbtack_id=lead,
                business_thumbtack_id=None,
                received_at=utcnow(),
            )
        )
        running.cancel()
        await asyncio.wait({running})
        async with database.transaction() as tx:
            row = next(one for one in await inbox.listing(tx) if one.lead_thumbtack_id == lead)
            assert row.id is not None
            await inbox.settle(tx, row.id, state=WorkState.DEAD, now=utcnow(), reason="KeyError")
            return row.id

    return with_database(url, write)


def test_inbox_list_and_retry(migrated, run):
    assert run("inbox", "list", DATABASE_URL=migrated).stdout == "Nothing.\n"
    first, second = arrived(migrated, lead="7001"), arrived(migrated, lead="7002")
    listed = run("inbox", "list", DATABASE_URL=migrated).stdout
    assert "Maya" not in listed
    assert [line.split()[:4] for line in listed.splitlines()[1:]] == [
        [str(first), "/v1/lead", "7001", "dead"],
        [str(second), "/v1/lead", "7002", "dead"],
    ]
    assert "read again within 5 seconds" in run("inbox", "retry", str(first), DATABASE_URL=migrated).stdout
    states = [line.split()[3] for line in run("inbox", "list", DATABASE_URL=migrated).stdout.splitlines()[1:]]
    assert states == ["pending", "dead"]
    everything = run("inbox", "retry", "--all", DATABASE_URL=migrated)
    assert everything.exit_code == 0
    states = [line.split()[3] for line in run("inbox", "list", DATABASE_URL=migrated).stdout.splitlines()[1:]]
    assert states == ["pending", "pending"]


@pytest.mark.parametrize("arguments", [[], ["7", "--all"]])
def test_inbox_retry_wants_an_id_or_all(arguments, run):
    ended = run("inbox", "retry", *arguments)
    assert ended.exit_code == 2
    assert "Give an id, or --all." in ended.stderr


def test_inbox_retry_of_nothing(migrated, run):
    assert run("inbox", "retry", "999", DATABASE_URL=migrated).exit_code == 1
    assert run("inbox", "retry", "--all", DATABASE_URL=migrated).exit_code == 0


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str, str | None, bytes]]]]:
    """A server that takes leads and nothing else; what it heard: method, path, Authorization, body."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.command, self.path, self.headers["authorization"], body))
            self.send_response(200 if self.path == "/v1/lead" else 404)
            self.end_headers()
            self.wfile.write(b"{}")

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", heard
        listening.shutdown()


def test_inbox_replay_posts_a_file_as_thumbtack_would(server, tmp_path, run, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # it is not asked
    url, heard = server
    lead = tmp_path / "lead.json"
    lead.write_text('{"leadID": "1"}')
    credentials = {"THUMBTACK_WEBHOOK_USERNAME": "user", "THUMBTACK_WEBHOOK_PASSWORD": "pass"}
    taken = run("inbox", "replay", str(lead), f"--url={url}", **credentials)
    assert (taken.exit_code, taken.stdout) == (0, "200 {}\n")
    refused = run("inbox", "replay", str(lead), f"--url={url}/", "--route=/v1/lead/update")
    assert (refused.exit_code, refused.stdout) == (1, "404 {}\n")
    assert heard == [
        ("POST", "/v1/lead", "Basic dXNlcjpwYXNz", b'{"leadID": "1"}'),
        ("PUT", "/v1/lead/update", "Basic Og==", b'{"leadID": "1"}'),
    ]


@pytest.mark.parametrize(
    ("credentials", "shown"),
    [
        ({"THUMBTACK_WEBHOOK_SECRET": "the-secret"}, "Bearer the-secret"),
        ({"THUMBTACK_WEBHOOK_USERNAME": "user", "THUMBTACK_WEBHOOK_PASSWORD": "pass"}, "Basic dXNlcjpwYXNz"),
        (
            {
                "THUMBTACK_WEBHOOK_SECRET": "the-secret",
                "THUMBTACK_WEBHOOK_USERNAME": "user",
                "THUMBTACK_WEBHOOK_PASSWORD": "pass",
            },
            "Basic dXNlcjpwYXNz",
        ),
    ],
)
def test_inbox_replay_shows_v4s_secret_where_there_is_nothing_else(server, tmp_path, run, credentials, shown):
    url, heard = server
    (tmp_path / "event.json").write_text("{}")
    for route in ("/v4/webhooks", "/staging/v4/webhooks/77", "/v1/lead"):
        run("inbox", "replay", str(tmp_path / "event.json"), f"--url={url}", f"--route={route}", **credentials)
    legacy = shown if shown.startswith("Basic") else "Basic Og=="
    assert heard == [
        ("POST", "/v4/webhooks", shown, b"{}"),
        ("POST", "/staging/v4/webhooks/77", shown, b"{}"),
        ("POST", "/v1/lead", legacy, b"{}"),
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ftp://127.0.0.1:9", "file:///etc/hostname"])
def test_inbox_replay_tells_when_nobody_answers(url, tmp_path, run):
    (tmp_path / "lead.json").write_text("{}")
    ended = run("inbox", "replay", "lead.json", f"--url={url}")
    assert ended.exit_code == 1
    assert url in ended.stderr


def test_the_sandbox_refuses_a_taken_port(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("sandbox", f"--port={port}")
    assert ended.exit_code == 2
    assert f"Cannot listen at port {port}" in ended.stderr


def test_the_demo_ends_with_1_where_it_does_not_hold(run, monkeypatch):
    import sandbox.demo  # noqa: PLC0415 -- only this test needs it

    async def play(*_: object, headless: bool) -> bool:
        return not headless

    monkeypatch.setattr(sandbox.demo, "play", play)
    assert run("demo", "--headless").exit_code == 1
    assert run("demo").exit_code == 0
