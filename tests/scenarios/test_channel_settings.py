"""What goes out from a channel: chosen by who may, said on every card, and true for that channel alone."""

import json
from dataclasses import replace

import pytest
from support.choosing import choose, chosen, opened, shown
from support.conversation import ANA, CHECK, MEMO, OLGA, Conversation, said
from support.office import CHANNEL, Office

from sandbox.slack.failures import slack_error
from storage import cards, channels, leads
from storage.models import Audit, Channel, Lead, LeadOutcome

CREW = "C0CREW"
DEFAULTS = {"reply_mode": "replies", "signature": "off", "contact_data": "ask"}


def another_channel(place: Office) -> None:
    place.slack.add_channel(CREW, "crew", members=[ANA, OLGA, "U0CORKBOT"])


def make_admin(place: Office, user: str, *, yes: bool = True) -> None:
    people = place.slack.workspace.people
    people[user] = replace(people[user], is_admin=yes)


async def pick(place: Office, channel: str) -> None:
    """The admin chooses another channel in the open window."""
    assert (await place.press("channel_chosen", channel)).ok


async def test_in_quiet_mode_nothing_goes_out_unless_it_is_meant_to_and_every_card_says_so(place: Office):
    lead = await Conversation.opened(place)
    other = await Conversation.opened(place)
    assert "Replies in this thread go to" in said(place.slack.message(CHANNEL, lead.ts))
    told = await choose(place, reply_mode="quiet")
    assert "Saved for #leads" in told
    assert "2 leads' cards are brought up to date" in told
    for one in (lead, other):
        card = said(place.slack.message(CHANNEL, one.ts))
        assert "Replies in this thread go to" not in card
        assert "send:" in card
    assert "This channel is quiet from now on" in place.read(place.cards[-1])
    remark, reply = await lead.say("He sounds difficult."), await lead.say("send: We come at 9.")
    await lead.marked(reply, CHECK)
    await lead.marked(remark, MEMO)
    await lead.press("reply_open")
    assert await place.submit({"text": "Tuesday?"}, user=ANA) == {}
    await place.at_rest()
    assert lead.received == ["We come at 9.", "Tuesday?"]
    assert "Only the Reply button" in await place.command("help", user=ANA)
    (entry,) = [row for row in await place.rows(Audit) if row.action == "channel_set"]
    assert (entry.actor, entry.subject) == (OLGA, CHANNEL)
    assert (entry.before, entry.after) == ({"mode": "replies"}, {"channel": CHANNEL, "mode": "quiet"})
    assert "changed what goes out" in await place.command("status")


@pytest.mark.knobs(reply_mode="quiet")
async def test_replies_are_switched_on_for_a_channel_of_a_quiet_deployment(place: Office):
    lead = await Conversation.opened(place)
    kept = await lead.say("He sounds difficult.")
    await lead.marked(kept, MEMO)
    await choose(place, reply_mode="replies")
    assert "Replies are on in this channel from now on" in place.read(place.cards[-1])
    assert "Replies in this thread go to" in said(place.slack.message(CHANNEL, lead.ts))
    await lead.marked(await lead.say("We come at 9."), CHECK)
    assert lead.received == ["We come at 9."]  # what was said in quiet mode stays inside
    await place.stop()
    await place.start()
    await lead.marked(await lead.say("Is that fine?"), CHECK)


async def test_the_window_shows_the_answers_of_the_channel_that_is_chosen_and_another_one_keeps_its_own(place: Office):
    another_channel(place)
    lead = await Conversation.opened(place)
    await opened(place)
    assert chosen(place) == DEFAULTS
    await pick(place, CREW)
    assert await place.submit({"reply_mode": "quiet", "signature": "on", "contact_data": "block"}) == {}
    assert "Saved for #crew" in shown(place)
    assert "brought up to date" not in shown(place)  # no lead stands there
    await opened(place)
    assert chosen(place) == DEFAULTS
    await pick(place, CREW)
    assert chosen(place) == {"reply_mode": "quiet", "signature": "on", "contact_data": "block"}
    await place.at_rest()
    assert place.slack.messages(CREW) == []
    await lead.marked(await lead.say("We come at 9."), CHECK)


async def test_what_was_filled_in_for_one_channel_is_never_saved_for_another(place: Office):
    another_channel(place)
    await opened(place)
    place.slack.faults.stand("views.update", slack_error("internal_error"))
    await pick(place, CREW)  # the window still shows the answers of #leads
    assert await place.submit({"channel_chosen": CREW, "reply_mode": "quiet"}) == {}
    assert "Look at them, then save" in shown(place)
    assert chosen(place) == DEFAULTS
    assert await place.rows(Channel) == []
    assert await place.submit({"reply_mode": "quiet"}) == {}
    assert [(row.channel, row.reply_mode) for row in await place.rows(Channel)] == [(CREW, "quiet")]


async def test_two_who_change_at_once_both_have_their_way_and_what_nobody_chose_stays_unsaid(place: Office):
    make_admin(place, ANA)
    async with place.database.transaction() as tx:
        await channels.choose(tx, team_id="T0CORKBOARD", channel=CHANNEL, reply_mode="replies")
    await opened(place)
    await opened(place, user=ANA)
    assert await place.submit({"reply_mode": "quiet"}) == {}
    assert await place.submit({"signature": "on"}, user=ANA) == {}
    (row,) = await place.rows(Channel)
    assert (row.reply_mode, row.signature, row.contact_data) == ("quiet", True, None)
    assert "Nothing was changed" in await choose(place)
    assert len([one for one in await place.rows(Audit) if one.action == "channel_set"]) == 2


async def test_who_may_not_any_more_changes_nothing(place: Office):
    make_admin(place, ANA)
    await opened(place, user=ANA)
    make_admin(place, ANA, yes=False)
    await place.advance(minutes=2)
    assert await place.submit({"reply_mode": "quiet"}, user=ANA) == {}
    assert "Only workspace admins" in shown(place, user=ANA)
    assert await place.rows(Channel) == []


async def test_typed_in_a_conversation_between_people_it_is_about_the_channel_of_the_leads(place: Office):
    direct = place.slack.workspace.direct_channel(OLGA)
    assert (await place.slack.command(OLGA, "/thumbtack", "settings", channel=direct.channel_id)).ok
    await place.press("settings_channel")
    assert json.loads(place.window()["private_metadata"])["channel"] == CHANNEL  # type: ignore[index]  # it is open


@pytest.mark.knobs(slack_leads_channel=None)
async def test_where_there_is_none_a_channel_is_chosen_first(place: Office):
    direct = place.slack.workspace.direct_channel(OLGA)
    assert (await place.slack.command(OLGA, "/thumbtack", "settings", channel=direct.channel_id)).ok
    await place.press("settings_channel")
    assert chosen(place) == {}
    await pick(place, CHANNEL)
    assert await place.submit({"contact_data": "off"}) == {}
    assert [(row.channel, row.contact_data) for row in await place.rows(Channel)] == [(CHANNEL, "off")]


async def test_a_window_that_is_submitted_twice_says_it_once(place: Office):
    await Conversation.opened(place)
    await opened(place)
    await place.submit({"reply_mode": "quiet"})
    assert (await place.slack.redeliver()).ok
    await place.at_rest()
    assert len([one for one in place.cards if "quiet from now on" in place.read(one)]) == 1
    assert len([one for one in await place.rows(Audit) if one.action == "channel_set"]) == 1


async def test_the_newest_open_leads_are_brought_up_to_date_and_finished_ones_are_not(place: Office, monkeypatch):
    monkeypatch.setattr(cards, "MOST", 2)
    old, older, lost, newest = [await Conversation.opened(place) for _ in range(4)]
    async with place.database.transaction() as tx:
        ids = {row.thumbtack_id: row.id for row in await place.rows(Lead)}
        over = await leads.to_change(tx, ids[lost.lead_id])
        assert over is not None
        over.outcome = LeadOutcome.LOST
    assert "2 leads' cards" in await choose(place, reply_mode="quiet")
    for one, is_told in ((old, False), (older, True), (lost, False), (newest, True)):
        assert ("send:" in said(place.slack.message(CHANNEL, one.ts))) is is_told
