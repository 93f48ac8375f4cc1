"""What the doctor makes of single facts: settings, scopes, channels, clocks; and how it is shown."""

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot import cli, settings
from bot.doctor import arriving, configuration, keeping, report, rooms, slack_app
from bot.doctor.findings import Area, Finding, State, broken, ok, warning, worst
from bot.doctor.rooms import Use
from bot.doctor.times import ago
from bot.settings import Settings
from storage import migrate
from storage.database import Database, utcnow
from storage.vault import key_file

NOW = datetime(2026, 9, 1, 18, 30, tzinfo=UTC)
KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))
POSTGRESQL = "postgresql+asyncpg://bot:pass-of-the-database@db.example:5433/leads?password=pass-of-the-query"


def of(name: str, **values: Any) -> Finding:
    """What is told of a setting, all others being as by default."""
    found = configuration.of_settings(settings.load(_env_file=None, **values))
    (told,) = [one for one in found if one.subject == name]
    return told


def test_every_setting_is_told_once():
    found = configuration.of_settings(settings.load(_env_file=None))
    assert [one.subject for one in found] == [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("name", "values", "state", "told"),
    [
        ("SLACK_BOT_TOKEN", {}, State.BROKEN, "not set: nothing is posted"),
        ("SLACK_BOT_TOKEN", {"slack_bot_token": "xoxb-1"}, State.OK, "set"),
        ("SLACK_SIGNING_SECRET", {}, State.BROKEN, "not set"),
        ("SLACK_SIGNING_SECRET", {"slack_app_token": "xapp-1"}, State.OK, "not set"),
        ("SLACK_APP_TOKEN", {"slack_app_token": "xapp-1"}, State.OK, "set"),
        ("SLACK_LEADS_CHANNEL", {}, State.WARNING, "not set"),
        ("SLACK_LEADS_CHANNEL", {"slack_leads_channel": "C0LEADS"}, State.OK, "C0LEADS"),
        ("SLACK_RING", {}, State.WARNING, "rings nobody's phone"),
        ("SLACK_POSTS_PER_SECOND", {"slack_posts_per_second": 2}, State.WARNING, "2: Slack permits one"),
        (
            "SLACK_API_URL",
            {"slack_api_url": "http://127.0.0.1:1/slack/api/"},
            State.WARNING,
            "127.0.0.1:1 is not Slack",
        ),
        ("DATABASE_URL", {"database_url": POSTGRESQL}, State.OK, "PostgreSQL, db.example/leads"),
        ("ENCRYPTION_KEYS", {"database_url": POSTGRESQL}, State.BROKEN, "PostgreSQL wants one"),
        ("ENCRYPTION_KEYS", {"encryption_keys": f"{KEY},{OTHER}"}, State.WARNING, "2 keys"),
        ("ENCRYPTION_KEYS", {"encryption_keys": KEY}, State.OK, "set"),
        ("PUBLIC_URL", {}, State.WARNING, "no business can be connected"),
        ("PUBLIC_URL", {"public_url": "http://127.0.0.1:8000"}, State.WARNING, "on this machine alone"),
        ("PUBLIC_URL", {"public_url": "https://u:hidden@bot.example/x"}, State.OK, "https://bot.example"),
        ("THUMBTACK_ENVIRONMENT", {"thumbtack_environment": "staging"}, State.WARNING, "test environment"),
        ("THUMBTACK_WEBHOOK_PASSWORD", {}, State.WARNING, "webhooks are refused"),
        ("THUMBTACK_WEBHOOK_PASSWORD", {"thumbtack_webhook_username": "u"}, State.BROKEN, "only one is set"),
        ("THUMBTACK_CLIENT_SECRET", {"thumbtack_client_id": "u"}, State.BROKEN, "only one is set"),
        ("THUMBTACK_LEGACY_CLIENT_SECRET", {"thumbtack_legacy_client_secret": "x"}, State.BROKEN, "only one is set"),
        ("THUMBTACK_LEGACY_PASSWORD", {"thumbtack_legacy_password": "x"}, State.BROKEN, "only one is set"),
        (
            "THUMBTACK_WEBHOOK_PASSWORD_PREVIOUS",
            {"thumbtack_webhook_password_previous": "x"},
            State.WARNING,
            "accepted",
        ),
        ("THUMBTACK_SCOPES", {"thumbtack_scopes": "offline_access"}, State.WARNING, "does not ask for supply::"),
        ("THUMBTACK_LEGACY_SCOPES", {"thumbtack_legacy_scopes": "messages"}, State.WARNING, "without targeting"),
        ("REPLY_MODE", {"reply_mode": "quiet"}, State.OK, "quiet: only"),
        ("LOG_LEVEL", {"log_level": "error"}, State.WARNING, "not in the log"),
    ],
)
def test_what_is_told_of_settings(name, values, state, told):
    found = of(name, **values)
    assert (found.state, told in found.told) == (state, True), found
    assert bool(found.remedy) is (state is not State.OK)


def test_a_password_that_can_be_guessed():
    user = {"thumbtack_webhook_username": "u"}
    short, long = ({**user, "thumbtack_webhook_password": "x" * length} for length in (19, 20))
    assert of("THUMBTACK_WEBHOOK_PASSWORD", **short).state is State.WARNING
    assert of("THUMBTACK_WEBHOOK_PASSWORD", **long).state is State.OK


def test_no_secret_is_ever_told():
    marked = {
        name: "https://user:MARKED@host.example/MARKED?MARKED" if name.endswith("_url") else "MARKED"
        for name in Settings.model_fields
        if name.endswith(("_url", "_secret", "_password", "_previous")) or "token" in name
    }
    marked |= {
        "database_url": POSTGRESQL,
        "slack_bot_token": "xoxb-MARKED",
        "slack_app_token": "xapp-MARKED",
        "encryption_keys": KEY,
    }
    told = report.as_json(configuration.of_settings(settings.load(_env_file=None, **marked)), checked_at=NOW)
    for secret in ("MARKED", KEY, "pass-of-the-database", "pass-of-the-query"):
        assert secret not in told


def test_the_scopes_are_those_of_the_manifest():
    scopes = yaml.safe_load((Path(__file__).parents[3] / "manifest.yml").read_text())["oauth_config"]["scopes"]
    assert set(slack_app.SCOPES) == set(scopes["bot"]) - set(scopes["bot_optional"])
    assert set(slack_app.OPTIONAL) <= set(scopes["bot_optional"])


def test_scopes_by_the_header():
    every = ", ".join([*slack_app.SCOPES, *slack_app.OPTIONAL, "something:else"])
    assert [one.state for one in slack_app.of_scopes(every)] == [State.OK]
    assert len([one for one in slack_app.of_scopes("") if one.state is State.BROKEN]) == len(slack_app.SCOPES)
    assert [one.state for one in slack_app.of_scopes(None)] == [State.WARNING]


@pytest.mark.parametrize("header", [None, "", "yesterday", "Tue, 01 Sep 2026 18:30:00 -0000", "Tue, 99 Sep 2026"])
def test_a_time_that_cannot_be_read_is_not_known(header):
    assert slack_app.of_clock(header, now=NOW).told == "Slack did not say what time it is"


def test_the_clock_says_in_which_direction():
    assert slack_app.of_clock("Tue, 01 Sep 2026 18:31:30 GMT", now=NOW).told == "90 s behind Slack's"
    wrong = "Tue, 01 Sep 2026 18:24:00 GMT"
    assert slack_app.of_clock(wrong, now=NOW).state is State.BROKEN
    assert slack_app.of_clock(wrong, now=NOW, signed=False).state is State.WARNING
    assert slack_app.of_clock("Tue, 01 Sep 2026 18:24:00 GMT", now=NOW).told.startswith(
        "360 s ahead of Slack's: everyt"
    )


@pytest.mark.parametrize(
    ("fields", "state", "told"),
    [
        ({}, State.OK, "may post"),
        ({"is_frozen": True}, State.BROKEN, "frozen"),
        ({"is_thread_only": True}, State.BROKEN, "in threads alone"),
        ({"is_non_threadable": True}, State.BROKEN, "threads are not allowed"),
        ({"properties": {"posting_restricted_to": {"type": ["admin"]}}}, State.WARNING, "only some may post"),
        ({"is_member": False}, State.BROKEN, "not in it"),
        ({"is_member": False, "is_archived": True}, State.BROKEN, "archived"),
    ],
)
def test_channels_by_slacks_object(fields, state, told):
    found = rooms.of_channel(Use(channel="C1", by="rule 1"), {"name": "x", "is_member": True, **fields})
    assert (found.state, found.subject) == (state, "#x (C1)")
    assert told in found.told


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=900)))
def test_how_long_ago_is_never_longer_than_it_was(gone):
    said = ago(NOW - gone, NOW)
    if said == "just now":
        assert gone < timedelta(minutes=2)
        return
    count, unit, _ = said.split()
    assert timedelta(0) <= gone - timedelta(**{unit: int(count)}) < timedelta(**{unit: 1})
    assert int(count) >= 2


async def test_a_sqlite_file_its_key_and_its_room(sqlite_url, monkeypatch):
    database, found = Database(sqlite_url), settings.load(_env_file=None, database_url=sqlite_url)
    await migrate.upgrade(database)
    told = {one.subject: one for one in (await keeping.look(found, database)).findings}
    assert {name: one.state for name, one in told.items()} == dict.fromkeys(told, State.OK)
    assert "is made when" in told["key"].told
    key_file(database.file).write_text(f"{KEY}\n")
    key_file(database.file).chmod(0o644)
    kept = await keeping.look(found, database)
    (open_to_all,) = [one for one in kept.findings if one.state is not State.OK]
    assert (kept.vault is not None, open_to_all.remedy) == (True, "chmod 600 corkboard.key")
    async with database.transaction() as tx:
        await kept.vault.check(tx)
    for content, says in ((OTHER, "does not open"), ("rubbish", "not a Fernet key"), ("", "there is none")):
        key_file(database.file).write_text(content)
        assert says in _of_key(await keeping.look(found, database)).told
    key_file(database.file).unlink()
    assert "without it nothing opens" in _of_key(await keeping.look(found, database)).told
    assert not key_file(database.file).exists()
    await database.close()


@pytest.mark.parametrize(("days", "state"), [(29, State.OK), (31, State.WARNING)])
async def test_copies_beside_a_sqlite_file_are_named_and_old_ones_are_to_be_deleted(sqlite_url, days, state):
    database, found = Database(sqlite_url), settings.load(_env_file=None, database_url=sqlite_url)
    await migrate.upgrade(database)
    made = (utcnow() - timedelta(days=days)).timestamp()
    names = ["corkboard.db.before-0009-20260801T090000", "corkboard.db.replaced-20260801-090000-wal"]
    for name in names:
        database.file.with_name(name).touch()
        os.utime(database.file.with_name(name), (made, made))
    (told,) = [one for one in (await keeping.look(found, database)).findings if one.subject == "copies"]
    assert (told.state, " ".join(names) in told.told) == (state, True)
    assert told.remedy == ("" if state is State.OK else f"When all is well: rm {' '.join(names)}")
    await database.close()


def _of_key(kept: keeping.Kept) -> Finding:
    (told,) = [one for one in kept.findings if one.subject == "key"]
    assert (kept.vault, told.state) == (None, State.BROKEN)
    return told


@pytest.mark.parametrize(("free", "state"), [(5e10, State.OK), (5e8, State.WARNING), (1e7, State.BROKEN)])
def test_room_on_the_disk(free, state):
    assert keeping._room(int(free)).state is state


async def test_an_address_is_asked_and_redirects_are_not_followed(unused_tcp_port):
    async def answer(request: web.Request) -> web.Response:
        status = int(request.match_info["status"])
        return web.Response(status=status, headers={"Location": "/200"} if status == 302 else {})

    app = web.Application()
    app.router.add_get("/{status}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", unused_tcp_port)
    await site.start()
    try:
        for status in (200, 503, 302):
            assert await arriving.reach(f"http://127.0.0.1:{unused_tcp_port}/{status}") == status
    finally:
        await runner.cleanup()
    assert await arriving.reach(f"http://127.0.0.1:{unused_tcp_port}/200") is None
    assert await arriving.reach("no address") is None


FINDINGS = [
    ok(Area.SETTINGS, "LOG_LEVEL", "by default: info", plain=True),
    ok(Area.SLACK, "token", "it is corkboard's"),
    warning(Area.SLACK, "clock", "90 s behind Slack's", "Use [bold]NTP[/bold]."),
    broken(Area.QUEUES, "inbox", "3 late", "Start it."),
]


def shown(findings: list[Finding], *, terminal: bool) -> str:
    out = io.StringIO()
    report.show(Console(file=out, force_terminal=terminal, width=100, highlight=False, color_system=None), findings)
    return out.getvalue()


def test_piped_each_thing_is_one_line():
    assert shown(FINDINGS, terminal=False).splitlines() == [
        "ok       settings  LOG_LEVEL: by default: info",
        "ok       slack  token: it is corkboard's",
        "warning  slack  clock: 90 s behind Slack's. Use [bold]NTP[/bold].",
        "broken   queues  inbox: 3 late. Start it.",
        "1 thing is broken, and 1 warning.",
    ]


def test_at_a_terminal_defaults_are_counted_and_remedies_stand_below():
    told = shown(FINDINGS, terminal=True)
    assert "LOG_LEVEL" not in told
    assert "1 more by default" in told
    assert "→ Use [bold]NTP[/bold]." in told


@pytest.mark.parametrize(
    ("findings", "state", "said"),
    [
        (FINDINGS[:2], State.OK, "Everything is as it should be."),
        (FINDINGS[:3], State.WARNING, "Nothing is broken; 1 warning."),
        ([FINDINGS[3]] * 2, State.BROKEN, "2 things are broken."),
    ],
)
def test_the_whole(findings, state, said):
    assert worst(findings) is state
    assert shown(findings, terminal=False).splitlines()[-1] == said
    assert json.loads(report.as_json(findings, checked_at=NOW))["state"] == state


def test_machines_are_told_all_of_it():
    told = json.loads(report.as_json(FINDINGS, checked_at=NOW))
    assert told["counts"] == {"ok": 2, "warning": 1, "broken": 1}
    assert told["checked_at"] == "2026-09-01T18:30:00+00:00"
    assert told["findings"][3] == {
        "area": "queues",
        "subject": "inbox",
        "state": "broken",
        "told": "3 late",
        "remedy": "Start it.",
    }
    assert told["findings"][1]["remedy"] is None


def test_wrong_settings_end_it_with_2():
    ended = CliRunner().invoke(cli.main, ["check", "--json"], env={"SLACK_RING": "everybody"})
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "SLACK_RING" in ended.stderr
