"""What can never be said dies in its time, is told in its lead's thread, blocks nothing, and goes again by hand."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result
from support.conversation import OLGA, Conversation
from support.deliveries import all_said
from support.logging_as import logging_as
from support.office import Office

from bot import cli
from bot.dispatch.kinds import KINDS
from bot.settings import LogFormat
from sandbox.faults import Fault
from sandbox.slack.failures import slack_error
from sandbox.thumbtack import bodies
from storage.models import Outbox, WorkState
from storage.outbox import Kind

POST = "chat.postMessage"
NEVER = slack_error("invalid_arguments")
STUCK = "A message of the customer's got stuck and is not tried any more."


@pytest.fixture
def command(place: Office) -> Iterator[Callable[..., Result]]:
    """`corkboard …` beside the bot."""
    settings = {"DATABASE_URL": place.database_url, "ENCRYPTION_KEYS": place.knobs["encryption_keys"]}
    with logging_as(LogFormat.JSON):
        yield lambda *arguments: CliRunner().invoke(cli.main, arguments, env=settings)


async def told(place: Office, lead: Conversation, *texts: str) -> None:
    for text in texts:
        assert (await place.post("/v1/message", bodies.message(lead.lead_id, text))).status_code == 200
    await place.ingested()


def said(lead: Conversation) -> list[str]:
    return [line["text"].removeprefix("Maya Alvarez: ") for line in lead.lines]


async def dead(place: Office) -> list[Outbox]:
    return [one for one in await place.rows(Outbox) if one.state == WorkState.DEAD]


async def test_its_reason_stands_in_the_thread_and_it_goes_by_hand_once_it_can(
    place: Office, command: Callable[..., Result]
):
    lead = await Conversation.opened(place, request={"attachments": []})
    place.slack.faults.add(POST, NEVER)
    await told(place, lead, "Poison", "After it")
    await all_said(place)
    [notice] = [line for line in lead.lines if line["text"].startswith(STUCK)]
    assert {"After it", notice["text"]} == set(said(lead))
    [entry] = await dead(place)
    shown = place.read(notice)
    assert "Reason: invalid_arguments." in shown
    assert f"corkboard outbox retry {entry.id}" in shown
    listed = (await asyncio.to_thread(command, "outbox", "list")).stdout.splitlines()
    assert [(line.split()[0], line.split()[-1]) for line in listed[1:]] == [(str(entry.id), "invalid_arguments")]
    assert (await asyncio.to_thread(command, "outbox", "retry", str(entry.id))).exit_code == 0
    await place.advance(seconds=0)
    await all_said(place)
    assert sorted(said(lead)) == sorted(["After it", notice["text"], "Poison"])
    assert (await asyncio.to_thread(command, "outbox", "list")).stdout == "Nothing.\n"
    assert (await asyncio.to_thread(command, "outbox", "retry", str(entry.id))).exit_code == 1


async def test_by_a_mistake_of_our_own_it_dies_after_its_schedule_and_goes_after_the_mend(
    place: Office, monkeypatch: pytest.MonkeyPatch, command: Callable[..., Result]
):
    lead = await Conversation.opened(place, request={"attachments": []})

    async def broken(_at: object) -> None:
        raise KeyError

    with monkeypatch.context() as meanwhile:
        meanwhile.setitem(KINDS, Kind.POST_MESSAGE, broken)
        await told(place, lead, "Poison")
        await place.post("/v1/lead/update", bodies.price(lead.lead_id, "$26.00"), method="PUT")
        await all_said(place)
    [entry] = await dead(place)
    assert entry.settled_at is not None
    assert (entry.settled_at - entry.created_at).total_seconds() > 30, "not at the first mistake"
    charge, notice = said(lead)
    assert charge.startswith("Lead cost"), "what stood behind it went on"
    assert notice.startswith(STUCK)
    assert "Tell a keeper to look at the log." in notice
    assert (await asyncio.to_thread(command, "outbox", "retry", str(entry.id))).exit_code == 0
    await place.advance(seconds=0)
    await all_said(place)
    assert said(lead)[-1] == "Poison"


@pytest.mark.knobs(slack_keepers=OLGA)
@pytest.mark.parametrize("is_thread", [False, True], ids=["there is no thread", "the thread cannot be told"])
async def test_where_the_thread_cannot_be_told_the_keepers_are(place: Office, *, is_thread: bool):
    if is_thread:
        lead = await Conversation.opened(place, request={"attachments": []})
        place.slack.faults.add(POST, NEVER, times=2)
        await told(place, lead, "Poison")
    else:
        place.slack.faults.add(POST, NEVER)
        assert (await place.post("/v1/lead", bodies.lead(request={"attachments": []}))).status_code == 200
    await place.seen(lambda: place.told(OLGA))
    await place.at_rest()
    [entry] = await dead(place)
    [notice] = place.told(OLGA)
    assert f"corkboard outbox retry {entry.id}" in notice
    assert "got stuck" in notice


@pytest.mark.knobs(slack_keepers=OLGA)
async def test_a_thread_whose_channel_is_closed_meanwhile_holds_no_notice_up(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    place.slack.faults.add(POST, NEVER)
    place.slack.faults.add(POST, Fault(status=200, body={"ok": False, "error": "restricted_action"}))
    await told(place, lead, "Poison")
    await all_said(place)
    assert ["got stuck" in notice for notice in place.told(OLGA)] == [True]
