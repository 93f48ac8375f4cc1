"""Secrets stay where they belong, on a day on which everything goes wrong: no log, page, message, row or repr has one."""

import gc
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import inspect, select, text
from support.conversation import Conversation
from support.deliveries import all_said
from support.logging_as import logging_as
from support.office import ADMIN, BOT_TOKEN, LEGACY_CLIENT, PRO_API, SIGNING_SECRET, V4_CLIENT, WEBHOOK, Office

from bot.settings import LogFormat, Settings
from sandbox.faults import Fault
from sandbox.slack import failures
from sandbox.thumbtack import bodies
from storage.models import Connection, Row, Webhook
from storage.vault import Vault

KEY, OLD_KEY = (Fernet.generate_key().decode() for _ in range(2))
OFFICES = {
    "slack_bot_token": BOT_TOKEN,
    "slack_signing_secret": SIGNING_SECRET,
    "thumbtack_webhook_password": WEBHOOK[1],
    "thumbtack_client_secret": V4_CLIENT[1],
    "thumbtack_legacy_client_secret": LEGACY_CLIENT[1],
    "thumbtack_legacy_password": PRO_API[1],
}
"""What every office has."""
ALL = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
MARKED = {name: f"marked-{name}-which-nobody-may-read" for name in ALL - {*OFFICES, "encryption_keys"}}
MARKED["slack_app_token"] = "xapp-marked-which-nobody-may-read"
KNOBS = {"encryption_keys": f"{KEY},{OLD_KEY}", "slack_keepers": ADMIN, **MARKED}
pytestmark = pytest.mark.knobs(**KNOBS)


class Overheard:
    """Everything that the bot answers to anybody."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def __call__(self, response: httpx.Response) -> None:
        await response.aread()
        if response.status_code != 303:  # the way to Thumbtack holds a state and a challenge, which belong there
            self.said.append(f"{response.headers} {response.text}")


@pytest.fixture
async def overheard(place: Office) -> AsyncIterator[Overheard]:
    made = Overheard()
    place.http.event_hooks = {"response": [made]}
    yield made
    place.http.event_hooks = {}


async def a_day_that_goes_wrong(place: Office) -> None:
    """Both connections, webhooks with passwords of their own, renewals that fail, faults of every kind, wrong visitors."""
    for method in ("chat.postMessage", "chat.update", "reactions.add"):
        for fault in (failures.rate_limited(1), failures.down(), Fault(cut=True), failures.slack_error("invalid_auth")):
            place.slack.faults.add(method, fault)
    await place.slack.command(ADMIN, "/thumbtack", "connect")
    await place.come_back(place.link("v4"), businesses=None)
    await place.slack.command(ADMIN, "/thumbtack", "connect")
    await place.come_back(place.link("legacy"), businesses=[bodies.BUSINESS_ID])
    await all_said(place)
    lead = await Conversation.opened(place)
    for fault in (Fault(status=401), Fault(status=400, body={"message": "no"}), Fault(status=503), Fault(cut=True)):
        place.thumbtack.faults.add("message", fault)
    place.thumbtack.grants.expire_access_tokens()
    await lead.said("We come at 9.")
    await all_said(place)
    for auth in (("thumbtack", "wrong"), ("", ""), (WEBHOOK[0], SIGNING_SECRET)):
        await place.post("/v1/lead", {}, auth=auth)
        await place.post("/v4/webhooks", {}, auth=auth)
    for address in ("/thumbtack/callback?code=1&state=2", "/thumbtack/connect?state=x", "/slack/events", "/readyz"):
        await place.http.get(address)
    await place.http.post("/slack/events", content=b"{}", headers={"x-slack-signature": "v0=0"})
    await place.http.post("/v1/lead", content=b"{", auth=WEBHOOK, headers={"Content-Type": "application/json"})
    for typed in ("status", "leads", "connect", "nonsense"):
        await place.slack.command(ADMIN, "/thumbtack", typed)
    place.thumbtack.grants.revoke()
    await place.advance(days=2)
    await all_said(place)


async def given(place: Office) -> set[str]:
    """Tokens and passwords that were made while it ran, as the vault opens them."""
    vault: Vault = place.door.app.state.services.vault
    sealed = [row.password for row in await place.rows(Webhook)]
    sealed += [one for row in await place.rows(Connection) for one in (row.access_token, row.refresh_token)]
    grants = place.thumbtack.grants
    return {vault.open(one) for one in sealed if one} | set(grants._access) | set(grants._refresh)


def plain() -> set[str]:
    return {KEY, OLD_KEY, *OFFICES.values(), *MARKED.values()}


async def test_nobody_is_told_a_secret(place: Office, overheard: Overheard, capfd):
    with logging_as(LogFormat.JSON):
        await a_day_that_goes_wrong(place)
        secrets = plain() | await given(place)
        await place.stop()
    assert len(secrets) > len(plain()) + 2
    told = {
        "the log": "".join(capfd.readouterr()),
        "Slack": json.dumps([call.args for call in place.slack.calls]),
        "whoever asks": "\n".join(overheard.said),
    }
    assert {where: len(words) > 1000 for where, words in told.items()} == dict.fromkeys(told, True)
    assert [(where, secret) for where, words in told.items() for secret in secrets if secret in words] == []


async def test_the_database_holds_none_that_can_be_read(place: Office):
    await a_day_that_goes_wrong(place)
    secrets = plain() | await given(place)
    async with place.database.writer() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        held = {name: str((await connection.execute(text(f'SELECT * FROM "{name}"'))).all()) for name in tables}
    assert held["connection"].count("gAAAA") >= 1  # Fernet's
    assert [(table, secret) for table, rows in held.items() for secret in secrets if secret in rows] == []


async def test_no_repr_shows_one(place: Office):
    await a_day_that_goes_wrong(place)
    secrets = plain() | await given(place)
    shown = {}
    for one in gc.get_objects():
        if str(type(one).__module__).partition(".")[0] in ("bot", "webhooks", "storage"):
            shown[f"{type(one).__module__}.{type(one).__qualname__} {id(one)}"] = f"{one!r} {one}"
    async with place.database.reading() as tx:
        rows = [row for table in Row.__subclasses__() for row in (await tx.execute(select(table))).scalars()]
        for row in rows:
            shown[f"{type(row).__name__} {id(row)}"] = f"{row!r} {row}"
    assert len(shown) > 100
    assert [(what, secret) for what, words in shown.items() for secret in secrets if secret in words] == []
