"""`corkboard check`: it finds what is wrong, says what to do, changes nothing, and works while the others are away."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from support.office import ADMIN, CHANNEL, Office

from bot import settings as bot_settings
from bot.doctor import rooms, slack_app
from bot.doctor.examination import examine
from bot.doctor.findings import Area, Finding, State, worst
from sandbox.faults import Fault
from sandbox.slack.failures import cut, down, rate_limited, slack_error
from sandbox.slack.web_api import EVERYTHING
from sandbox.thumbtack import bodies
from storage import channels, outbox
from storage.models import Connection, Inbox, Outbox, Presence, Route, Row, Webhook, WorkState
from storage.outbox import Kind

OAK, OAK_ID = bodies.BUSINESS_NAME, bodies.BUSINESS_ID
OTHER_KEY = "aH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="


async def looked(place: Office, *, public: int | None = 200, figures: int | None = 401, **knobs: Any) -> list[Finding]:
    """What the doctor finds beside the running bot; `public`: with what the public address answers, `figures`: /metrics."""

    async def reach(url: str) -> int | None:
        return {"https://bot.example/readyz": public, "https://bot.example/metrics": figures}[url]

    settings = bot_settings.load(_env_file=None, **(place.knobs | knobs))
    return await examine(settings, clock=place.clock, reach=reach)


def bad(found: Sequence[Finding], area: Area | None = None) -> list[tuple[State, str]]:
    """What is not as it should be, beyond what comes of the tests' own settings."""
    ours = {"SLACK_API_URL", "SLACK_RING", "THUMBTACK_WEBHOOK_PASSWORD"}
    return [
        (one.state, one.subject)
        for one in found
        if one.state is not State.OK and one.subject not in ours and area in (None, one.area)
    ]


def of(found: Sequence[Finding], area: Area, subject: str) -> Finding:
    """The finding about a thing; of several the first that is bad."""
    about = [one for one in found if one.area is area and subject in one.subject]
    assert about, f"nothing about {subject}: {found}"
    return next((one for one in about if one.state is not State.OK), about[0])


async def everything(place: Office) -> dict[str, list[Any]]:
    """All rows of all tables."""
    found = {}
    async with place.database.reading() as tx:
        for table in sorted(Row.metadata.tables):
            if table not in ("lease", "presence"):  # of jobs, which go on meanwhile
                found[table] = [tuple(row) for row in (await tx.execute(text(f"SELECT * FROM {table}"))).all()]
    return found


async def connected(place: Office) -> None:
    """A business with both APIs, whose webhook was used."""
    await place.connect("v4")
    await place.connect("legacy")
    await place.thumbtack.v4_lead()
    await place.at_rest()
    assert "v4/webhooks" in (await place.rows(Inbox))[-1].route


@pytest.mark.knobs(slack_keepers=ADMIN)
async def test_a_healthy_deployment_has_nothing_wrong_and_nothing_is_changed(place: Office):
    await connected(place)
    if place.database.file is not None:
        assert bad(await looked(place)) == [(State.WARNING, "permissions")]  # the tests' file is anybody's
        place.database.file.chmod(0o600)
    rows, calls, posted = await everything(place), len(place.slack.calls), place.slack.messages(CHANNEL)
    found = await looked(place)
    assert bad(found) == []
    assert worst(found) is State.WARNING  # the stand-in is not Slack, and the tests' password is short
    assert {one.area for one in found} == set(Area)
    assert await everything(place) == rows
    assert place.slack.messages(CHANNEL) == posted
    reads = {"auth.test", "conversations.info", "users.info"}
    assert {call.method for call in place.slack.calls[calls:]} == reads
    assert of(found, Area.WEBHOOKS, OAK).told == "leads, messages, reviews come, the last just now"
    assert "messages, targeting" in of(found, Area.THUMBTACK, "Pro API").told
    assert of(found, Area.CHANNELS, "#leads").told == "all leads: the bot is in it and may post"


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_no_keepers_is_told(place: Office):
    assert bad(await looked(place), Area.SLACK) == [(State.WARNING, "keepers")]


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.knobs(slack_keepers=f"{ADMIN},U0BEN,U0NOBODY")
async def test_keepers_who_are_gone_are_told(place: Office):
    people = place.slack.workspace.people
    people["U0BEN"] = replace(people["U0BEN"], deleted=True)
    told = [one.told for one in await looked(place) if one.subject == "keepers"]
    assert told == ["U0BEN was deactivated", "U0NOBODY is nobody here"]


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_with_slack_away_everything_else_is_looked_at_all_the_same(place: Office):
    await connected(place)
    for fault in (down(), cut(), rate_limited(), Fault(status=200, body="rubbish")):
        place.slack.api.faults.stand("*", fault)
        found = await looked(place)
        assert of(found, Area.SLACK, "token").state is State.BROKEN
        assert of(found, Area.SLACK, "token").told.startswith("Slack does not answer")
        assert of(found, Area.THUMBTACK, "Pro API").state is State.OK
    place.slack.api.faults.clear()


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_token_that_slack_refuses(place: Office):
    for error in ("token_revoked", "account_inactive", "invalid_auth"):
        place.slack.api.faults.stand("auth.test", slack_error(error))
        told = of(await looked(place), Area.SLACK, "token")
        assert (told.state, told.told) == (State.BROKEN, f"Slack refuses it ({error})")


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_scope_that_was_not_granted(place: Office):
    for scope, state in (
        ("chat:write", State.BROKEN),
        ("groups:history", State.BROKEN),
        ("usergroups:read", State.WARNING),
    ):
        place.slack.api.scopes = [one for one in EVERYTHING if one != scope]
        told = of(await looked(place), Area.SLACK, "scope ")
        assert (told.state, told.subject) == (state, f"scope {scope}")
        assert "install the app again" in told.remedy


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_clock_that_is_wrong(place: Office):
    settings = bot_settings.load(_env_file=None, **place.knobs)
    for ahead, state in ((0, State.OK), (-90, State.WARNING), (90, State.WARNING), (400, State.BROKEN)):
        found = await examine(settings, clock=_ahead(place, timedelta(seconds=ahead)), reach=_nobody)
        assert of(found, Area.SLACK, "clock").state is state


def _ahead(place: Office, by: timedelta) -> Callable[[], datetime]:
    return lambda: place.clock() + by


async def _nobody(_url: str) -> None:
    return None


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_channel_that_the_bot_cannot_post_in(place: Office):
    leads = place.slack.workspace.channels[CHANNEL]
    leads.read_only = True
    assert of(await looked(place), Area.CHANNELS, "#leads").told == "all leads: the bot may not post there"
    leads.members.remove("U0CORKBOT")
    told = of(await looked(place), Area.CHANNELS, "#leads")
    assert (told.state, told.remedy) == (State.BROKEN, "Type /invite @Corkboard there.")
    leads.archived = True
    assert of(await looked(place), Area.CHANNELS, "#leads").told == "all leads: it is archived"
    nowhere = of(await looked(place, slack_leads_channel="C0NOWHERE"), Area.CHANNELS, "C0NOWHERE")
    assert "it was deleted, or is private" in nowhere.told


async def test_channels_of_earlier_leads_are_looked_at_too_and_are_less_grave(place: Office):
    await place.post("/v1/lead", bodies.lead())
    await place.at_rest()
    place.slack.workspace.channels[CHANNEL].archived = True
    found = await looked(place, slack_leads_channel="C0OTHER")
    assert (of(found, Area.CHANNELS, "C0OTHER").state, of(found, Area.CHANNELS, CHANNEL).state) == (
        State.BROKEN,
        State.WARNING,
    )


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_slack_is_not_asked_further_once_it_asks_for_time(place: Office):
    place.slack.api.faults.stand("conversations.info", rate_limited())
    told = of(await looked(place), Area.CHANNELS, CHANNEL)
    assert (told.state, told.told) == (State.WARNING, "1 channels could not be asked about (ratelimited)")


async def test_not_more_channels_are_asked_about_than_slack_permits(place: Office, monkeypatch):
    monkeypatch.setattr(rooms, "MOST", 2)
    async with place.database.transaction() as tx:
        tx.add_all([Route(position=n, channel=channel) for n, channel in enumerate([CHANNEL, "C0A", "C0B", "C0C"])])
    calls = len(place.slack.called("conversations.info"))
    found = await looked(place)
    assert of(found, Area.CHANNELS, "C0A").told.startswith("rule 2: it was deleted")
    assert of(found, Area.CHANNELS, "C0B, C0C").told.startswith("2 channels could not be asked about")
    assert len(place.slack.called("conversations.info")) == calls + 2


async def test_a_channel_that_is_closed_or_held_is_told(place: Office):
    async with place.database.transaction() as tx:
        await channels.close(tx, team_id="T1", channel="C0CLOSED", reason="archived", now=place.clock())
    place.slack.api.faults.stand("chat.postMessage", slack_error("restricted_action"))
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: place.slack.called("chat.postMessage"))
    await place.at_rest()
    found = await looked(place)
    assert of(found, Area.CHANNELS, "C0CLOSED").told == "closed to Corkboard (archived); its leads go elsewhere"
    assert of(found, Area.CHANNELS, CHANNEL).told.startswith("Slack refused a post there")
    assert of(found, Area.QUEUES, "outbox").told == "put off for restricted_action (1)"


async def changed(place: Office, row: type[Row], **values: Any) -> None:
    async with place.database.transaction() as tx:
        await tx.execute(update(row).values(**values))


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_with_thumbtack_away_that_is_what_is_told(place: Office):
    await connected(place)
    place.thumbtack.faults.stand("*", Fault(status=503))
    found = await looked(place)
    away = "Thumbtack does not answer (unavailable)"
    assert [(one.state, one.told) for one in found if one.area is Area.THUMBTACK] == [(State.BROKEN, away)] * 2
    assert of(found, Area.WEBHOOKS, OAK).told == away
    assert of(found, Area.SLACK, "token").state is State.OK


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_token_that_thumbtack_refuses_is_told_and_not_renewed(place: Office):
    await place.connect("v4")
    place.thumbtack.grants.expire_access_tokens()
    before = await place.rows(Connection)
    told = of(await looked(place), Area.THUMBTACK, OAK)
    assert (told.state, told.told) == (State.BROKEN, "Thumbtack does not take its token")
    assert await place.rows(Connection) == before


BY_THE_ROWS = (
    ({"state": "broken", "reason": "invalid_grant"}, State.BROKEN, "renews its tokens no longer (invalid_grant)"),
    ({"expires_at": timedelta(minutes=-1)}, State.WARNING, "its token ended just now"),
    ({"expires_at": timedelta(hours=-3)}, State.BROKEN, "its token ended 3 hours ago, and was not renewed"),
    ({"expires_at": timedelta(hours=-3), "refresh_token": None}, State.BROKEN, "and is not renewed here"),
    ({"failing_since": timedelta(hours=-3), "reason": "unavailable"}, State.WARNING, "renewed since 3 hours (unav"),
    ({"granted_at": timedelta(days=-178)}, State.WARNING, "its consent ends"),
    ({"access_token": "gAAAA-not-ours"}, State.BROKEN, "no key opens its tokens"),
    ({"scopes": ["supply::businesses.list"]}, State.WARNING, "no leads: supply::negotiations.read was not allowed"),
)


async def test_what_the_rows_tell_of_tokens(place: Office):
    connection = await place.connect("v4")
    await place.stop()  # who would mend it
    now, right = place.clock(), connection.model_dump(exclude={"id"}, warnings=False)
    for values, state, told in BY_THE_ROWS:
        wrong = {name: now + value if isinstance(value, timedelta) else value for name, value in values.items()}
        await changed(place, Connection, **right | wrong)
        found = of(await looked(place), Area.THUMBTACK, OAK)
        assert (found.state, told in found.told) == (state, True), found


CHANGED_THERE = (
    ({"enabled": False}, "switched off"),
    ({"event_types": ("NegotiationCreatedV4",)}, "without messages, reviews"),
    ({"url": "https://elsewhere.example/v4/webhooks"}, "another address"),
    ({"auth": None}, "no user name and password"),
)


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_webhook_that_somebody_changed_at_thumbtack(place: Office):
    await place.connect("v4")
    (one,) = place.thumbtack.subscriptions.of(OAK_ID)
    for fields, told in CHANGED_THERE:
        place.thumbtack.subscriptions._keep(replace(one, **fields))
        found = of(await looked(place), Area.WEBHOOKS, OAK)
        assert found.state is State.BROKEN
        assert told in found.told
        assert "Repair" in found.remedy


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_webhook_that_is_not_there(place: Office):
    await place.connect("v4")
    (one,) = place.thumbtack.subscriptions.of(OAK_ID)
    del place.thumbtack.subscriptions._books[OAK_ID][one.webhook_id]
    assert "deleted at Thumbtack" in of(await looked(place), Area.WEBHOOKS, OAK).told
    await changed(place, Webhook, thumbtack_id=None, reason="unavailable")
    assert "no webhook of ours (unavailable)" in of(await looked(place), Area.WEBHOOKS, OAK).told


async def test_the_public_address_and_the_last_event(place: Office):
    assert "nothing came" in of(await looked(place), Area.WEBHOOKS, "last event").told
    for status, state in ((200, State.OK), (503, State.BROKEN), (404, State.WARNING), (None, State.WARNING)):
        assert of(await looked(place, public=status), Area.WEBHOOKS, "PUBLIC_URL").state is state
    await place.post("/v1/lead", bodies.lead())
    await place.at_rest()
    assert of(await looked(place), Area.WEBHOOKS, "last event").state is State.OK
    await place.advance(days=8)
    assert "8 days ago" in of(await looked(place), Area.WEBHOOKS, "last event").told


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_figures_that_a_web_server_tells_everybody(place: Office):
    assert of(await looked(place, figures=200), Area.WEBHOOKS, "PUBLIC_URL").state is State.BROKEN
    for status in (401, 404, None):
        assert of(await looked(place, figures=status), Area.WEBHOOKS, "PUBLIC_URL").state is State.OK


async def test_a_program_that_does_not_run(place: Office):
    told = of(await looked(place), Area.QUEUES, "corkboard serve")
    assert (told.state, told.told) == (State.OK, "it was there just now")
    await place.stop()
    await place.advance(minutes=2)
    told = of(await looked(place), Area.QUEUES, "corkboard serve")
    assert (told.state, told.told) == (State.OK, "it was there 2 minutes ago")
    await place.advance(minutes=3)
    told = of(await looked(place), Area.QUEUES, "corkboard serve")
    assert (told.state, told.told) == (State.BROKEN, "nobody runs it: it was last there 5 minutes ago")


async def test_a_program_that_ends_soon_after_each_start(place: Office):
    for minutes, state in ((14, State.OK), (31, State.WARNING)):
        async with place.database.transaction() as tx:
            (row,) = (await tx.execute(select(Presence))).scalars()
            row.unsteady_since = place.clock() - timedelta(minutes=minutes)
        told = of(await looked(place), Area.QUEUES, "corkboard serve")
        assert told.state is state
    assert told.told == "it was there just now, but for 31 minutes never for long"


async def test_what_waits_too_long_and_what_died(place: Office):
    await place.stop()
    async with place.database.transaction() as tx:
        late = place.clock() - timedelta(minutes=6)
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=late, payload={"notice": "x"})
    assert of(await looked(place), Area.QUEUES, "outbox").state is State.WARNING
    await place.advance(hours=1)
    told = of(await looked(place), Area.QUEUES, "outbox")
    assert (told.state, told.told) == (
        State.BROKEN,
        "waiting: 1 to be said to Slack and Thumbtack, the first for 66 minutes",
    )
    await changed(place, Outbox, state=WorkState.DEAD, settled_at=place.clock(), reason="invalid_blocks")
    assert of(await looked(place), Area.QUEUES, "outbox").told == "1 given up"
    assert of(await looked(place), Area.QUEUES, "inbox").told == "nothing waits"


async def test_a_key_that_does_not_fit(place: Office):
    await place.connect("v4")
    found = await looked(place, encryption_keys=OTHER_KEY)
    assert of(found, Area.DATABASE, "key").state is State.BROKEN
    assert of(found, Area.QUEUES, "inbox").state is State.OK
    assert not [one for one in found if one.area is Area.THUMBTACK]


@pytest.mark.parametrize(
    ("revision", "state", "told"),
    [
        ("0000", State.BROKEN, "No version of Corkboard up to this one"),
        ("9999", State.WARNING, "A newer version of Corkboard"),
    ],
)
async def test_another_shape(place: Office, revision, state, told):
    async with place.database.transaction() as tx:
        await tx.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    found = await looked(place)
    shape = of(found, Area.DATABASE, "shape")
    assert (shape.state, shape.told.startswith(told)) == (state, True)
    assert of(found, Area.SLACK, "token").state is State.OK


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_database_that_is_not_there_is_not_made(place: Office, tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/none/corkboard.db"
    found = await looked(place, database_url=url, encryption_keys="")
    assert of(found, Area.DATABASE, "reached").state is State.BROKEN
    away = "postgresql+asyncpg://nobody@127.0.0.1:9/none"
    assert of(await looked(place, database_url=away), Area.DATABASE, "reached").state is State.BROKEN
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_mistake_in_one_look_does_not_hide_the_others(place: Office, monkeypatch):
    monkeypatch.setattr(slack_app, "of_clock", lambda *_, **__: 1 / 0)
    found = await looked(place)
    assert of(found, Area.SLACK, "the check itself").told == "looking at it broke (ZeroDivisionError)"
    assert of(found, Area.QUEUES, "inbox").state is State.OK


async def test_the_command_beside_a_running_bot(place: Office):
    """The real command in a process of its own: its exit code, its words, and no secret among them."""
    await connected(place)
    knobs = {name.upper(): str(value) for name, value in place.knobs.items()}
    piped = await _run("check", environment=knobs)
    assert (piped[0], piped[2]) == (0, "")
    lines = piped[1].splitlines()
    assert lines[-1].startswith("Nothing is broken; ")
    assert all(line.split()[0] in {"ok", "warning", "broken"} for line in lines[:-1])
    code, out, _ = await _run("check", "--json", environment=knobs | {"SLACK_LEADS_CHANNEL": "C0NOWHERE"})
    told = json.loads(out)
    assert (code, told["state"], told["counts"]["broken"]) == (1, "broken", 1)
    assert [one["subject"] for one in told["findings"] if one["state"] == "broken"] == ["C0NOWHERE"]
    secrets = [knobs[name] for name in knobs if name.endswith(("TOKEN", "SECRET", "PASSWORD", "KEYS"))]
    assert [secret for secret in secrets if secret in piped[1] + out] == []


async def _run(*arguments: str, environment: dict[str, str]) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", *arguments, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()
