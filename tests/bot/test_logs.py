"""The log: its forms and levels, and that nothing of a customer, of what people write or of a secret is ever in it."""

import asyncio
import base64
import io
import json
import logging
from datetime import datetime
from types import SimpleNamespace

import pytest
import structlog
from support.conversation import ANA, BEN, Conversation
from support.office import BOT_TOKEN, CHANNEL, PRO_API, SIGNING_SECRET, WEBHOOK

from bot import logs
from bot.settings import LogFormat, LogLevel
from sandbox.faults import Fault
from sandbox.thumbtack import bodies
from webhooks.thumbtack.payloads import legacy

PRIVATE = "4155550134 at 1200 Example Street"

CUSTOMER = ["Maya", "Alvarez", "4155550134", "555-0134", "5550134", "Example Street", "94301", "Palo Alto"]
WRITTEN = [
    "stain on the front door",
    "ladder",
    "noon",
    "eleven",
    "between us",
    "from the window",
    "splendid",
    "broken body",
    "refused words",
    "door.jpg",
    "$260",
    "$26.00",
]
SECRETS = [
    BOT_TOKEN,
    SIGNING_SECRET,
    WEBHOOK[1],
    PRO_API[1],
    "wrong-password",
    "zH9o1mJmZUoY8D0m2rWn8q2c6a0m3S7mX0bqQ3B1u0Y=",
    base64.b64encode(":".join(WEBHOOK).encode()).decode(),
    base64.b64encode(":".join(PRO_API).encode()).decode(),
]


class Log(io.StringIO):
    """What stands in for stderr."""

    def facts(self):
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def log(monkeypatch):
    """An empty stderr; the log goes back to what it was afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    written = Log()
    monkeypatch.setattr(logs, "sys", SimpleNamespace(stderr=written))  # pytest puts its own into the real one
    yield written
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def spoken(level=LogLevel.INFO, log_format=LogFormat.JSON):
    logs.configure(log_format, level)
    speaker = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(speaker, name)(f"{name}_happened", number=7)


def test_for_machines_each_fact_is_one_line_of_json(log):
    spoken()
    first = log.facts()[0]
    assert datetime.fromisoformat(first.pop("timestamp")).utcoffset().total_seconds() == 0
    assert first == {"event": "info_happened", "number": 7, "level": "info"}


def test_for_people_each_fact_is_a_line_without_colours_where_nobody_looks(log):
    spoken(log_format=LogFormat.CONSOLE)
    lines = log.getvalue().splitlines()
    assert len(lines) == 3
    assert "info_happened" in lines[0]
    assert "number=7" in lines[0]
    assert "\x1b" not in log.getvalue()


def test_for_people_at_a_terminal_there_are_colours(log, monkeypatch):
    monkeypatch.setattr(log, "isatty", lambda: True)
    spoken(log_format=LogFormat.CONSOLE)
    assert "\x1b[" in log.getvalue()


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        (LogLevel.DEBUG, ["debug", "info", "warning", "error"]),
        (LogLevel.INFO, ["info", "warning", "error"]),
        (LogLevel.WARNING, ["warning", "error"]),
        (LogLevel.ERROR, ["error"]),
    ],
)
def test_the_level_says_how_much(log, level, kept):
    spoken(level)
    assert [fact["level"] for fact in log.facts()] == kept


def test_nothing_goes_to_stdout(log, capsys):
    spoken()
    logging.getLogger("uvicorn.error").error("It ended.")
    assert capsys.readouterr().out == ""


def test_a_fact_is_one_write_since_workers_share_the_stream(log, monkeypatch):
    writes = []
    monkeypatch.setattr(log, "write", writes.append)
    spoken()
    assert [line.count("\n") for line in writes] == [1, 1, 1]
    assert all(line.endswith("\n") for line in writes)


def test_what_a_job_works_on_goes_with_all_its_facts(log):
    logs.configure(LogFormat.JSON, LogLevel.INFO)
    with structlog.contextvars.bound_contextvars(entry_id=3):
        structlog.get_logger().info("happened")
    assert log.facts()[0]["entry_id"] == 3


@pytest.mark.parametrize("name", ["slack_bolt", "httpx", "aiosqlite", "sqlalchemy.engine", "uvicornish"])
def test_of_a_library_only_who_spoke_and_where_is_kept(log, name):
    logs.configure(LogFormat.JSON, LogLevel.DEBUG)
    logging.getLogger(name).warning("Heard %s", PRIVATE)
    (fact,) = log.facts()
    assert (fact["event"], fact["logger"], fact["level"]) == ("library_spoke", name, "warning")
    assert fact["at"].startswith("test_logs.py:")
    assert PRIVATE not in log.getvalue()
    assert "Heard" not in log.getvalue()


@pytest.mark.parametrize("name", ["uvicorn.error", "apscheduler.scheduler", "alembic.runtime.migration"])
def test_what_libraries_say_of_themselves_is_kept_and_what_broke_in_them_loses_its_words(log, name):
    logs.configure(LogFormat.JSON, LogLevel.INFO)
    try:
        {}[PRIVATE]
    except KeyError:
        logging.getLogger(name).exception("Exception in ASGI application\n")
    (fact,) = log.facts()
    assert (fact["level"], fact["message"], fact["error"]) == ("error", "Exception in ASGI application", "KeyError")
    assert "test_what_libraries_say" in fact["raised_in"]
    assert PRIVATE not in log.getvalue()


def test_libraries_speak_from_warnings_upwards_and_as_loud_as_we(log):
    logs.configure(LogFormat.JSON, LogLevel.ERROR)
    for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logging.getLogger("uvicorn.error").log(level, "Level %s", level)
    assert [fact["message"] for fact in log.facts()] == ["Level 40", "Level 50"]
    logs.configure(LogFormat.JSON, LogLevel.DEBUG)
    logging.getLogger("httpx").info("GET %s", PRIVATE)
    assert len(log.facts()) == 2


async def test_what_nobody_caught_loses_its_words(log):
    logs.configure(LogFormat.JSON, LogLevel.INFO)

    async def breaks():
        raise KeyError(PRIVATE)

    def as_number(words):
        return int(words)

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    with logs.quiet_loop():
        task = loop.create_task(breaks())
        await asyncio.wait([task])
        del task  # collected: nobody asked for its exception
        loop.call_soon(int, "4155550134 x")
        loop.call_soon(as_number, "4155550134 x")
        loop.call_exception_handler({"message": "Something without an exception"})
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn
    assert loop.get_exception_handler() is before
    facts = log.facts()
    assert {fact["event"] for fact in facts} == {"nobody_caught"}
    messages = {fact["message"]: fact.get("error") for fact in facts}
    assert messages["Task exception was never retrieved"] == "KeyError"
    assert messages["Something without an exception"] is None
    assert sum(message.startswith("Exception in callback") for message in messages) == 2
    assert "4155550134" not in log.getvalue()


async def _busy(place, monkeypatch):
    """A day in which everything happens, and much of it goes wrong."""
    conversation = await Conversation.opened(place)
    await place.post("/v1/message", bodies.message(conversation.lead_id, "Do you bring a ladder?"))
    await place.post("/v1/lead/update", bodies.price(conversation.lead_id, "$26.00"), method="PUT")
    await place.post("/v1/review", bodies.review(conversation.lead_id, "5", "What a splendid job, says Maya!"))
    reply = await conversation.say("We come at noon, Maya.")
    await conversation.marked(reply, "white_check_mark")
    await conversation.edit(reply, "We come at eleven.")
    await conversation.say("note: between us, mind Example Street")
    await conversation.press("reply_open", by=BEN)
    assert (await place.slack.submit(BEN, {"text": "This comes from the window."})).status == 200
    await place.at_rest()
    # What goes wrong
    await place.post("/v1/lead", bodies.lead(), auth=(WEBHOOK[0], "wrong-password"))
    await place.http.post("/v1/lead", content=b'{"broken body 4155550134', auth=WEBHOOK, headers=_JSON)
    await place.post("/v1/review", {"review": {"text": "splendid"}})
    await place.http.post("/slack/events", content=b"token=broken+body", headers={"X-Slack-Signature": BOT_TOKEN})
    place.thumbtack.faults.add("message", Fault(status=400, body={"error": "refused words, Maya Alvarez"}))
    await conversation.marked(await conversation.say("This is refused at noon."), "x")
    place.thumbtack.faults.add("message", Fault(lose_answer=True))
    await conversation.marked(await conversation.say("Of this at noon nobody knows."), "warning")
    place.slack.faults.add("chat.postMessage", Fault(status=200, body="<p>refused words</p>"))
    place.slack.faults.add("chat.postMessage", Fault(cut=True))
    await place.post("/v1/message", bodies.message(conversation.lead_id, "A ladder, please!"))
    place.slack.faults.add("chat.update", Fault(status=400, body={"ok": False, "error": "refused words"}))
    await place.post("/v1/lead/update", bodies.price(conversation.lead_id, "$26.00", "Refunded"), method="PUT")
    with monkeypatch.context() as broken:
        broken.setattr(legacy, "facts", lambda _kind, body: [KeyError, body[str(body)]])
        await place.post("/v1/message", bodies.message(conversation.lead_id, "A ladder nobody can read"))
        await place.ingested()
    await conversation.delete(reply)
    await place.advance(minutes=2)
    await place.at_rest()
    with monkeypatch.context() as broken:
        broken.setattr("bot.health.migrate.shape", lambda _database: {}[PRIVATE])
        with pytest.raises(KeyError):  # the server logs it; the answer is a bare 500 (see test_app)
            await place.http.get("/readyz")
    await place.slack.say(ANA, CHANNEL, "At noon, outside of every thread")
    await place.stop()


_JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("log_format", LogFormat)
async def test_a_busy_office_leaves_nothing_private_in_its_log(place, log, log_format, monkeypatch):
    logs.configure(log_format, LogLevel.DEBUG)
    await _busy(place, monkeypatch)
    told = log.getvalue()
    for event in (
        "delivered",
        "reply_stored",
        "webhook_ingested",
        "webhook_refused",
        "webhook_not_understood",
        "slack_request_refused",
        "request_broke",
        "stopped",
    ):
        assert event in told
    assert [word for word in (*CUSTOMER, *WRITTEN, *SECRETS) if word.lower() in told.lower()] == []
