"""Channels close and open, the app is cut off, people leave: leads go elsewhere or wait, and the keepers are told once."""

from typing import Any

import pytest
from support.conversation import ANA, BEN, CHECK, OLGA, Conversation
from support.deliveries import all_said
from support.office import CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage import leads, owning
from storage.models import Business, Channel, Lead, LeadEvent, Outbox, WorkState

CREW, OAK, ELM = "C0CREW", bodies.BUSINESS_ID, "510000000000000202"
KEPT = pytest.mark.knobs(slack_keepers=(OLGA,))


async def own_channel(place: Office, channel: str | None, business_id: str = OAK) -> None:
    """A business's leads go to a channel of its own from now on."""
    async with place.database.transaction() as tx:
        for business in await place.rows(Business):
            if business.thumbtack_id == business_id:
                (await tx.get(Business, business.id)).channel = channel


async def sent(place: Office, text: str = "", *, business_id: str = OAK, **overrides: Any) -> str:
    """A lead of a business; its id."""
    lead = bodies.lead(business={"businessID": business_id, "name": text or "Oak"}, **overrides)
    assert (await place.post("/v1/lead", lead)).status_code == 200
    await place.ingested()
    return str(lead["leadID"])


def heads(place: Office, channel: str) -> list[str]:
    """The cards in a channel, by their text."""
    return [
        one["text"] for one in place.slack.messages(channel) if "thread_ts" not in one or one["thread_ts"] == one["ts"]
    ]


async def crew(place: Office, *, is_private: bool = False) -> None:
    """Oak has a channel of its own, in which a first lead stands."""
    place.slack.add_channel(CREW, "crew", is_private=is_private)
    await sent(place)
    await place.at_rest()
    await own_channel(place, CREW)
    await sent(place)
    await place.seen(lambda: len(heads(place, CREW)) == 1)
    await place.at_rest()


async def stuck(place: Office, fault: Fault) -> None:
    """A lead and its customer's message, whose card Slack does not take until the faults are cleared."""
    place.slack.faults.stand("chat.postMessage", fault)
    lead_id = await sent(place)
    await place.post("/v1/message", bodies.message(lead_id, "Hello?"))
    await place.ingested()
    await place.seen(lambda: place.slack.called("chat.postMessage")[-1].error)
    await place.at_rest()  # until that is written down


@KEPT
@pytest.mark.parametrize("is_private", [False, True])
async def test_an_archived_channel_passes_its_leads_on_and_gets_them_back(place: Office, *, is_private: bool):
    await crew(place, is_private=is_private)
    await place.slack.archive(CREW)
    await sent(place)
    await place.seen(lambda: len(heads(place, CHANNEL)) == 2)
    await place.at_rest()
    [told] = place.told(OLGA)
    assert "#crew takes no more leads. It was archived." in told
    assert "New leads go to" in told
    await place.slack.unarchive(CREW)
    await sent(place)
    await place.seen(lambda: len(heads(place, CREW)) == 2)
    assert len(place.told(OLGA)) == 1


@KEPT
async def test_old_threads_of_an_archived_channel_wait_and_go_on_in_order(place: Office):
    await crew(place)
    lead = (await place.rows(Lead))[-1]
    await place.slack.archive(CREW)
    for text in ("one", "two", "three"):
        await place.post("/v1/message", bodies.message(lead.thumbtack_id, text))
    await place.ingested()
    await place.advance(minutes=4)
    await place.slack.unarchive(CREW)
    await place.at_rest()
    channel = place.slack.workspace.channel(CREW)
    said = [one["text"] for one in channel.messages.values() if one.get("thread_ts") not in (None, one["ts"])]
    assert [one for one in said if one.startswith("Maya")] == [f"Maya Alvarez: {n}" for n in ("one", "two", "three")]


@KEPT
@pytest.mark.parametrize("is_doubtful", [False, True])
async def test_cards_that_wait_for_a_closed_channel_move_with_what_follows_them(place: Office, *, is_doubtful: bool):
    await crew(place)
    fault = down() if is_doubtful else Fault(status=429, body={"ok": False}, headers={"Retry-After": "600"})
    await stuck(place, fault)
    await place.slack.archive(CREW)
    place.slack.faults.clear()
    if not is_doubtful:  # what may be out is looked for first
        await place.seen(lambda: len(place.cards) == 2, within=3)  # at once, though it was to be tried much later
    await all_said(place)
    [_, moved] = place.cards
    assert "Maya Alvarez: Hello?" in [one["text"] for one in place.thread(moved)]
    lead = (await place.rows(Lead))[-1]
    assert lead.channel == CHANNEL


@KEPT
async def test_a_card_under_way_when_its_channel_is_closed_moves_at_once_too(place: Office):
    """Slack asks for ten minutes there, and the channel is closed before that is heard."""
    await crew(place)
    late = Fault(status=429, body={"ok": False}, headers={"Retry-After": "600"}, delay=0.5)
    place.slack.faults.add("chat.postMessage", late)
    await sent(place)
    await place.seen(lambda: place.slack.faults.happened["chat.postMessage"])
    await place.slack.archive(CREW)
    await place.seen(lambda: len(place.cards) == 2)
    assert (await place.rows(Lead))[-1].channel == CHANNEL


@KEPT
async def test_a_closed_channel_is_noticed_without_an_event(place: Office):
    await crew(place)
    place.slack.workspace.channel(CREW).archived = True
    await sent(place)
    for _ in range(6):
        await place.advance(seconds=10)
        await place.at_rest()
    assert len(heads(place, CHANNEL)) == 2
    [channel] = await place.rows(Channel)
    assert (channel.channel, channel.closed) == (CREW, "archived")
    assert len(place.told(OLGA)) == 1
    place.slack.workspace.channel(CREW).archived = False  # nobody tells of that either; a post in an old thread will
    first = next(one for one in await place.rows(Lead) if one.channel == CREW)
    await place.post("/v1/message", bodies.message(first.thumbtack_id, "Still there?"))
    await all_said(place)
    [channel] = await place.rows(Channel)
    assert channel.closed is None


@KEPT
async def test_a_channel_that_is_opened_again_without_an_event_is_noticed_by_the_next_post(place: Office):
    await crew(place)
    first = (await place.rows(Lead))[-1]
    await place.slack.archive(CREW)
    place.slack.workspace.channel(CREW).archived = False
    await place.post("/v1/message", bodies.message(first.thumbtack_id, "Still there?"))
    await place.at_rest()
    assert [one.closed for one in await place.rows(Channel)] == [None]
    await sent(place)
    await place.seen(lambda: len(heads(place, CREW)) == 2)


@KEPT
async def test_a_bot_that_is_removed_and_invited_again(place: Office):
    await crew(place)
    lead = (await place.rows(Lead))[-1]
    await place.slack.remove_bot(CREW)
    await place.post("/v1/message", bodies.message(lead.thumbtack_id, "Hello?"))
    await sent(place)
    await place.seen(lambda: len(heads(place, CHANNEL)) == 2)
    await place.slack.invite_bot(CREW)
    assert [one.closed for one in await place.rows(Channel)] == [None]
    await all_said(place)
    channel = place.slack.workspace.channel(CREW)
    assert "Maya Alvarez: Hello?" in [one["text"] for one in channel.messages.values()]
    assert not any("Post leads here" in place.read(one) for one in channel.messages.values())  # it is in use
    await sent(place)
    await place.seen(lambda: len([one for one in heads(place, CREW) if "Painting" in one]) == 2)


@KEPT
async def test_where_the_channel_for_all_closes_leads_wait_and_none_goes_to_anothers(place: Office):
    await crew(place)  # Oak's own
    await place.slack.archive(CHANNEL)
    await sent(place, "Elm", business_id=ELM)
    await place.advance(minutes=2)
    await place.at_rest()
    assert len(heads(place, CREW)) == 1
    assert "Nothing can be posted for leads." in "".join(place.told(OLGA))
    await place.slack.unarchive(CHANNEL)
    await place.seen(lambda: len(heads(place, CHANNEL)) == 2)


@KEPT
async def test_a_lead_for_which_there_is_no_channel_is_told_once_and_posted_once_there_is_one(place: Office):
    await sent(place)
    await place.at_rest()
    await own_channel(place, CHANNEL)  # what is for all is Oak's own now
    for _ in range(2):
        await sent(place, "Elm", business_id=ELM)
        for _ in range(3):
            await place.advance(seconds=31)
            await place.at_rest()
    assert len(heads(place, CHANNEL)) == 1
    [told] = place.told(OLGA)
    assert "A new lead waits: no channel is set for it." in told
    await own_channel(place, None)
    await place.advance(seconds=31)
    await all_said(place)
    assert len(heads(place, CHANNEL)) == 3


async def test_a_channel_that_was_given_to_another_business_gets_no_new_card_of_the_first(place: Office):
    await crew(place)  # Oak's own
    await sent(place, "Elm", business_id=ELM)
    await place.at_rest()
    lead = next(row for row in await place.rows(Lead) if row.channel == CREW)
    await own_channel(place, None)
    await own_channel(place, CREW, ELM)
    await place.advance(days=81)
    await place.post("/v1/message", bodies.message(lead.thumbtack_id, "Back again"))
    await place.ingested()
    await all_said(place)
    assert len(heads(place, CREW)) == 1
    assert len(heads(place, CHANNEL)) == 3
    assert [row.channel for row in await place.rows(Lead) if row.id == lead.id] == [CHANNEL]


@KEPT
async def test_a_deleted_channel_gives_its_leads_new_cards_once_there_is_news(place: Office):
    await crew(place)
    lead = (await place.rows(Lead))[-1]
    await place.post("/v1/message", bodies.message(lead.thumbtack_id, "The first word"))
    await place.at_rest()
    await place.slack.delete_channel(CREW)
    assert len(place.cards) == 1  # nothing is said before there is news
    await place.post("/v1/message", bodies.message(lead.thumbtack_id, "The second word"))
    await all_said(place)
    [_, card] = place.cards
    below = [place.read(one) for one in place.thread(card)]
    assert "The first word" in below[0]
    assert [one for one in below if "The second word" in one] == below[1:]
    said = await place.slack.say(ANA, CHANNEL, "Here we are", thread_ts=card["ts"])
    await place.seen(lambda: place.mark(said.ts) == [CHECK])
    assert place.thumbtack.received(lead.thumbtack_id) == ["Here we are"]


@KEPT
async def test_what_waits_when_its_channel_is_deleted_comes_below_a_new_card(place: Office):
    await crew(place)
    lead = (await place.rows(Lead))[-1]
    place.slack.workspace.channel(CREW).archived = True
    await place.post("/v1/message", bodies.message(lead.thumbtack_id, "Held"))
    await place.ingested()
    await place.advance(seconds=2)
    await place.slack.delete_channel(CREW)
    await all_said(place)
    [_, card] = place.cards
    assert [one["text"] for one in place.thread(card)][-1] == "Maya Alvarez: Held"
    assert {one.state for one in await place.rows(Outbox)} <= {WorkState.DONE, WorkState.CANCELLED}


@KEPT
async def test_a_card_that_may_be_out_in_a_channel_that_is_deleted_goes_elsewhere(place: Office):
    await crew(place)
    await stuck(place, down())
    await place.slack.delete_channel(CREW)
    place.slack.faults.clear()
    for _ in range(6):
        await place.advance(minutes=2)
        await place.at_rest()
    [_, moved] = place.cards
    assert "Maya Alvarez: Hello?" in [one["text"] for one in place.thread(moved)]


async def test_channels_that_leads_never_went_to_are_no_news(place: Office):
    place.slack.add_channel("C0FUN", "fun")
    for deed in (place.slack.archive, place.slack.unarchive, place.slack.remove_bot):
        answer = await deed("C0FUN")
        assert answer.status == 200
    place.slack.add_person("U0CLEO", "Cleo")
    await place.slack.join("U0CLEO", CHANNEL)
    await place.slack.leave("U0CLEO", CHANNEL)
    assert await place.rows(Channel) == []
    assert await place.rows(Outbox) == []


@KEPT
async def test_an_app_that_is_uninstalled_waits_and_tells_once_it_is_back(place: Office):
    lead = await Conversation.opened(place)
    await place.slack.uninstall()  # Slack tells twice: the token, and the app
    await place.post("/v1/message", bodies.message(lead.lead_id, "Anybody?"))
    await sent(place)
    await place.ingested()
    await place.advance(minutes=3)
    assert len(place.cards) == 1
    await place.slack.reinstall()
    await all_said(place)
    assert len(place.cards) == 2
    assert "Maya Alvarez: Anybody?" in [one["text"] for one in place.thread()]
    [told] = [one for one in place.told(OLGA) if "back now" in one]
    assert "uninstalled" in told or "revoked" in told


async def test_a_persons_own_token_that_is_revoked_is_nothing(place: Office):
    await place.slack.event({"type": "tokens_revoked", "tokens": {"oauth": [ANA], "bot": []}, "event_ts": "1.0"})
    assert await place.rows(Outbox) == []


@KEPT
async def test_who_is_deactivated_leaves_leads_free_and_is_called_no_more(place: Office):
    lead = await Conversation.opened(place)
    over = await Conversation.opened(place)
    ended = await Conversation.opened(place)
    async with place.database.transaction() as tx:
        for row in await place.rows(Lead):
            held = await leads.to_change(tx, row.id)
            assert held is not None
            owning.claim(tx, held, user=BEN, now=place.clock())
            if held.thumbtack_id == over.lead_id:
                owning.finish(tx, held, "won", user=BEN, now=place.clock())
            if held.thumbtack_id == ended.lead_id:
                held.status = "Canceled"
        (await tx.get(Business, held.business_id)).on_duty = [BEN, ANA]
    assert (await place.slack.change_person(BEN, tz="America/Chicago")).status == 200
    assert {one.owner for one in await place.rows(Lead)} == {BEN}
    answer = await place.slack.deactivate(BEN)
    await place.slack.redeliver(answer)
    await place.at_rest()
    owners = {one.thumbtack_id: one.owner for one in await place.rows(Lead)}
    assert owners == {lead.lead_id: None, over.lead_id: BEN, ended.lead_id: BEN}
    assert [one.on_duty for one in await place.rows(Business)] == [[ANA]]
    [told] = place.told(OLGA)
    assert "1 of their leads is free" in told
    assert "no longer on duty for Bright Oak" in told
    assert [one.kind for one in await place.rows(LeadEvent)].count("released") == 1


# Post leads here


async def offered(place: Office) -> dict[str, Any]:
    place.slack.add_channel(CREW, "crew", members=(ANA, BEN, OLGA))
    await place.slack.invite_bot(CREW)
    await place.seen(lambda: place.slack.messages(CREW))
    return place.slack.messages(CREW)[-1]


async def test_an_invited_bot_offers_to_post_leads_there_and_a_business_gets_the_channel(place: Office):
    await sent(place)
    offer = await offered(place)
    assert "Shall Thumbtack leads be posted in this channel?" in offer["text"]
    await place.slack.redeliver(next(one for one in place.slack.answers if "member_joined" in str(one.delivery)))
    await place.at_rest()
    assert len(place.slack.messages(CREW)) == 1  # Slack told twice
    await place.press("channel_leads_here", user=ANA)
    await place.at_rest()
    assert "Only workspace admins" in place.whispers(ANA)[-1]
    await place.press("channel_leads_here")
    [business] = await place.rows(Business)
    assert await place.submit({"which": str(business.id)}) == {}
    await place.seen(lambda: "from now on" in place.slack.messages(CREW)[0]["text"])
    await sent(place)
    await sent(place, "Elm", business_id=ELM)
    await place.seen(lambda: len(heads(place, CREW)) == 2)
    await place.seen(lambda: len(heads(place, CHANNEL)) == 2)


@pytest.mark.knobs(slack_leads_channel=None)
async def test_without_any_channel_leads_wait_until_one_is_offered_and_taken(place: Office):
    await sent(place)
    await offered(place)
    await place.press("channel_leads_here")
    assert await place.submit() == {}
    await place.advance(seconds=31)
    await place.seen(lambda: len(heads(place, CREW)) == 2)


async def test_a_channel_for_itself_is_not_given_to_all(place: Office):
    await sent(place)
    await offered(place)
    await place.press("channel_leads_here")
    await own_channel(place, CREW)
    assert "for themselves" in (await place.submit())["which"]
