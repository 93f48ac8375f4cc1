"""The log: facts in one form, and never a word of a customer, a number, an address, a token or a password."""

import asyncio
import gc
import json
import logging
from typing import Any

import pytest
import structlog
from support.deliveries import all_said
from support.logging_as import logging_as
from support.office import BOT_TOKEN, CHANNEL, PRO_API, SIGNING_SECRET, WEBHOOK, Office

from bot.dispatch.kinds import KINDS
from bot.settings import LogFormat, LogLevel
from sandbox.faults import Fault
from sandbox.slack import failures
from sandbox.thumbtack import bodies
from storage.models import Outbox
from storage.outbox import Kind

NAME, PHONE, STREET = "Marguerite Quillfeather", "4155550199", "77 Nightingale Mews"
WORDS = {
    "description": "a stain shaped like Portugal",
    "question": "which parquet",
    "answer": "herringbone",
    "message": "the gate code is heliotrope",
    "reply": "bring a stepladder named Gustav",
    "note": "sounds fussy about turquoise",
    "review": "utterly splendiferous",
    "modal": "we shall arrive by zeppelin",
    "file": "blueprint-of-the-attic.jpg",
}
PRIVATE = [NAME, "Quillfeather", PHONE, "555-0199", STREET, "Nightingale", *WORDS.values()]
SECRET = [BOT_TOKEN, SIGNING_SECRET, WEBHOOK[1], PRO_API[1], "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y="]


def a_lead():
    attachment = {
        "fileName": WORDS["file"],
        "fileSize": 9,
        "mimeType": "image/jpeg",
        "url": f"https://www.thumbtack.com/attachment/{WORDS['file']}",
        "description": WORDS["file"],
    }
    return bodies.lead(
        request={
            "description": WORDS["description"],
            "details": [{"question": WORDS["question"], "answer": WORDS["answer"]}],
            "location": {"address1": STREET},
            "attachments": [attachment],
        },
        customer={"name": NAME, "phone": PHONE},
    )


async def a_day_at_the_office(place: Office):
    """Everything that happens on a day on which everything that can go wrong does."""
    slack, lead = place.slack, a_lead()
    slack.unfetchable.add("*")
    for method in ("chat.postMessage", "chat.update", "reactions.add"):
        for fault in (failures.rate_limited(1), failures.down(), Fault(lose_answer=True), Fault(cut=True)):
            slack.faults.add(method, fault)
    slack.faults.add("chat.postMessage", failures.slack_error("invalid_blocks", f"{NAME}: {WORDS['message']}"))
    await place.post("/v1/message", bodies.message(lead["leadID"], WORDS["message"]))
    await place.post("/v1/lead", lead)
    await place.post("/v1/lead", {**lead, "leadID": None})
    await place.http.post("/v1/lead", content=json.dumps(lead)[:-1], auth=WEBHOOK)
    await place.post("/v1/lead", lead, auth=(WEBHOOK[0], WORDS["message"]))
    await place.post("/v1/review", bodies.review(lead["leadID"], "5", WORDS["review"]))
    await all_said(place)
    card = place.cards[0]["ts"]
    place.thumbtack.faults.add("message", Fault(status=503))
    place.thumbtack.faults.add("message", Fault(status=400, body={"message": WORDS["reply"]}))
    reply = await slack.say("U0ANA", CHANNEL, WORDS["reply"], thread_ts=card)
    await slack.say("U0ANA", CHANNEL, f"note: {WORDS['note']}", thread_ts=card)
    await all_said(place)
    await slack.edit(CHANNEL, reply.ts, f"{WORDS['reply']}!")
    await slack.press("U0BEN", CHANNEL, card, "reply_open")
    await slack.submit("U0BEN", modal(slack))
    await slack.command("U0ANA", "/thumbtack", WORDS["note"])
    await slack.delete(CHANNEL, reply.ts)
    await slack.redeliver()
    await all_said(place)


def modal(slack):
    """What is filled into the open window, by the action ids of its inputs."""
    (view,) = slack.views("U0BEN")
    inputs = [block["element"]["action_id"] for block in view["blocks"] if block["type"] == "input"]
    return dict.fromkeys(inputs, WORDS["modal"])


@pytest.mark.parametrize("log_format", list(LogFormat))
async def test_nothing_of_anybody_reaches_the_log_whatever_happens(place: Office, log_format, capfd):
    with logging_as(log_format):
        await a_day_at_the_office(place)
        await place.stop()
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("\n") > 30
    for event in ("webhook_refused", "delivered", "delivery_failed", "stopped"):
        assert event in told.err
    assert [one for one in PRIVATE if one.lower() in told.err.lower()] == []
    assert [one for one in SECRET if one in told.err] == []


async def broken(*_arguments):
    """An exception's text may hold anything: a row's values, a body, a token."""
    raise ValueError(WORDS["message"])


def logged_by_libraries():
    try:
        raise ValueError(WORDS["message"])  # noqa: TRY301 -- raised to be logged
    except ValueError:
        logging.getLogger("some.library").exception("it said %s", WORDS["reply"])
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")


async def test_what_our_own_mistakes_say_does_not_reach_the_log(place: Office, capfd, monkeypatch):
    monkeypatch.setitem(KINDS, Kind.POST_LEAD, broken)
    with logging_as(LogFormat.JSON):
        await place.post("/v1/lead", a_lead())
        await place.at_rest()
        nobody_waits_for_it = asyncio.create_task(broken())
        await asyncio.wait([nobody_waits_for_it])
        del nobody_waits_for_it
        gc.collect()
        logged_by_libraries()
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [word for word in WORDS.values() if word in str(told)] == []
    events = {one["event"]: one for one in told}
    assert events["delivery_not_prepared"]["error"] == "ValueError"
    assert events["nobody_caught"]["error"] == "ValueError"
    assert events["nobody_caught"]["raised_in"].startswith("broken (")
    library, ours = [one for one in told if one["event"] == "library_spoke"]
    assert (library["logger"], library["level"], library["error"]) == ("some.library", "error", "ValueError")
    assert "message" not in library
    assert ours["message"] == "Exception in ASGI application"


def test_for_machines_every_line_is_json_with_its_time_and_level(capfd):
    with logging_as(LogFormat.JSON):
        structlog.get_logger().info("started", version="1")
        logging.getLogger("apscheduler.scheduler").warning("Run time of job %s was missed", "prune")
        logging.getLogger("slack_sdk.web").info("not from warnings upwards")
    ours, theirs = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert ours["timestamp"].endswith("Z")
    assert (ours["event"], ours["level"], ours["version"]) == ("started", "info", "1")
    assert (theirs["event"], theirs["level"]) == ("library_spoke", "warning")
    assert theirs["message"] == "Run time of job prune was missed"


def test_less_can_be_said(capfd):
    with logging_as(LogFormat.CONSOLE, LogLevel.WARNING):
        structlog.get_logger().info("delivered")
        structlog.get_logger().warning("delivery_failed")
    told = capfd.readouterr().err
    assert "delivery_failed" in told
    assert "delivered" not in told


def said_of(told: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in told if line["event"] == event]


async def test_an_event_can_be_followed_from_the_webhook_to_slack_and_back(place: Office, capfd):
    """By what `corkboard inbox list` and a Slack message's metadata show: an inbox id, and a delivery id."""
    await place.stop()
    with logging_as(LogFormat.JSON, LogLevel.INFO):
        await place.start()
        await place.post("/v1/lead", a_lead())
        await all_said(place)
        before = await place.rows(Outbox)
        await place.slack.say("U0BEN", CHANNEL, "We come at nine.", thread_ts=place.cards[0]["ts"])
        await all_said(place)
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    card = place.cards[0]["metadata"]["event_payload"]["delivery_id"]
    delivered = {line["delivery_id"]: line for line in said_of(told, "delivered")}
    (ingested,) = said_of(told, "webhook_ingested")
    assert (ingested["inbox_id"], ingested["route"]) == (1, "/v1/lead")
    assert card in ingested["deliveries"].split()
    assert set(ingested["deliveries"].split()) == {entry.delivery_id for entry in before}
    assert (delivered[card]["kind"], delivered[card]["lead_id"]) == ("post_lead", 1)
    (stored,) = said_of(told, "reply_stored")
    (sent,) = [line for line in delivered.values() if line["kind"] == "send_reply"]
    assert (sent["message_id"], sent["lead_id"]) == (stored["message_id"], 1)
