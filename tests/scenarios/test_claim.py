"""Who has a lead, and what became of it: pressed on the card by one, by two at once, too late, or by who may not."""

import asyncio
from collections.abc import Sequence
from typing import Any

from support.conversation import ANA, BEN, CHECK, OLGA, Conversation, buttons
from support.office import CHANNEL, Office

from sandbox.slack.delivery import interaction_delivery
from sandbox.slack.failures import down
from sandbox.thumbtack import bodies
from storage.models import Lead, LeadEvent

GUEST, CLIENT = "U0GUEST", "W0CLIENT"


def card(lead: Conversation) -> str:
    """The card as people read it."""
    return lead.place.read(lead.place.slack.message(CHANNEL, lead.ts))


def offered(lead: Conversation) -> list[str]:
    """The buttons of the card."""
    return buttons(lead.place.slack.message(CHANNEL, lead.ts))


async def press(lead: Conversation, action_id: str, *, by: str = ANA) -> None:
    """Press a button of the card, and wait until what it does is seen."""
    assert (await lead.place.slack.press(by, CHANNEL, lead.ts, action_id)).status == 200
    await lead.place.at_rest()


async def stale(lead: Conversation, action_id: str, *, by: str = ANA, value: Any = None, ts: str | None = None) -> None:
    """Press a button that the card had once, as Slack tells it from a screen that was not brought up to date."""
    place = lead.place
    url = place.slack.workspace.new_response_url(by, CHANNEL)
    rows = await place.rows(Lead)
    value = next(str(row.id) for row in rows if row.thumbtack_id == lead.lead_id) if value is None else value
    payload = {
        "type": "block_actions",
        "user": {"id": by, "team_id": place.slack.workspace.team_id},
        "team": {"id": place.slack.workspace.team_id},
        "channel": {"id": CHANNEL},
        "container": {"type": "message", "message_ts": ts or lead.ts, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": "1.1",
        "response_url": f"{place.slack.base_url}/slack/response/{url}",
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
    }
    assert (await place.slack.courier.once(interaction_delivery(payload))).status == 200
    await place.at_rest()


def whispered(lead: Conversation, by: str) -> str:
    """What was said last to this person alone."""
    return lead.place.whispers(by)[-1]


async def kinds(place: Office) -> list[tuple[str, str | None]]:
    """What is on the record of the team's doings, and by whom."""
    doings = {"claimed", "released", "handed_over", "answered", "won", "lost", "reopened"}
    return [(event.kind, event.actor) for event in await place.rows(LeadEvent) if event.kind in doings]


async def test_who_takes_a_lead_has_it_and_the_card_says_so(place: Office):
    lead = await Conversation.opened(place)
    assert "New · nobody has it yet" in card(lead)
    assert offered(lead)[:2] == ["lead_claim", "reply_open"]
    before = lead.lines
    await press(lead, "lead_claim")
    assert "Claimed · @Ana, not answered yet" in card(lead)
    assert "lead_claim" not in offered(lead)
    assert lead.lines == before  # the card says it all
    await press(lead, "lead_release")
    assert "New · nobody has it yet" in card(lead)
    assert "released this lead" in place.read(lead.lines[-1])
    assert "lead_release" not in offered(lead)
    assert await kinds(place) == [("claimed", ANA), ("released", ANA)]


async def test_of_two_who_press_at_once_one_has_it_and_the_other_is_told_who(place: Office):
    lead = await Conversation.opened(place)
    presses = [place.slack.press(by, CHANNEL, lead.ts, "lead_claim") for by in (ANA, BEN)]
    assert [answer.status for answer in await asyncio.gather(*presses)] == [200, 200]
    await place.at_rest()
    (row,) = await place.rows(Lead)
    loser = BEN if row.owner == ANA else ANA
    name = {ANA: "@Ana", BEN: "@Ben"}[row.owner or ""]
    assert f"{name} has this lead" in whispered(lead, loser)
    assert place.whispers(row.owner or "") == []
    assert await kinds(place) == [("claimed", row.owner)]


async def test_the_first_reply_claims_by_itself_and_the_card_follows_the_conversation(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("We come at 9.", by=BEN)
    await lead.marked(ts, CHECK)
    await place.at_rest()
    assert "Answered · @Ben has it" in card(lead)
    assert "lead_elsewhere" not in offered(lead)
    later = {"createTimestamp": str(int(place.clock().timestamp()) + 2)}  # Thumbtack tells whole seconds
    await place.post("/v1/message", bodies.message(lead.lead_id, "Can you make it 10?", message=later))
    await place.seen(lambda: "Waiting for us since" in card(lead))
    assert "@Ben has it" in card(lead)
    await press(lead, "lead_elsewhere", by=ANA)
    assert "Answered · @Ben has it" in card(lead)
    assert "@Ana called, or answered elsewhere" in place.read(lead.lines[-1])
    await stale(lead, "lead_elsewhere", by=OLGA)
    assert "not waiting for an answer" in whispered(lead, OLGA)


async def test_who_called_has_the_lead_if_nobody_else_does(place: Office):
    lead = await Conversation.opened(place)
    await press(lead, "lead_elsewhere")
    assert "Answered · @Ana has it" in card(lead)
    assert [(row.first_answer_by, row.first_answer_via) for row in await place.rows(Lead)] == [(ANA, "elsewhere")]
    assert lead.received == []


async def test_handing_over_names_the_new_owner_in_the_thread(place: Office):
    lead = await Conversation.opened(place)
    await press(lead, "lead_handover")
    assert await place.submit({}, user=ANA) == {"to": "Choose a person."}
    assert await place.submit({"to": BEN}, user=ANA) == {}
    await place.at_rest()
    assert "Claimed · @Ben" in card(lead)
    assert place.read(lead.lines[-1]).endswith("@Ben, this lead is yours now: @Ana handed it over.")
    await press(lead, "lead_handover", by=OLGA)
    assert "@Ben has it now" in place.read(place.window(OLGA) or {})
    assert "already" in (await place.submit({"to": BEN}, user=OLGA))["to"]
    assert "bot" in (await place.submit({"to": "U0CORKBOT"}, user=OLGA))["to"]
    assert await place.submit({"to": OLGA}, user=OLGA) == {}
    await place.at_rest()
    assert "@Olga took this lead over" in place.read(lead.lines[-1])
    await press(lead, "lead_release", by=ANA)
    assert "@Ana released this lead, which @Olga had" in place.read(lead.lines[-1])


async def test_won_with_an_amount_that_stays_here_lost_and_open_again(place: Office):
    lead = await Conversation.opened(place)
    await press(lead, "lead_won")
    assert "dollars" in (await place.submit({"amount": "a lot"}, user=ANA))["amount"]
    assert await place.submit({"amount": "1,250.50"}, user=ANA) == {}
    await place.at_rest()
    assert "Won $1,250.50" in card(lead)
    assert "@Ana marked this lead as won: $1,250.50." in place.read(lead.lines[-1])
    assert [one for one in offered(lead) if one.startswith("lead_")] == ["lead_saved", "lead_reopen", "lead_won"]
    await press(lead, "lead_won")  # the amount was not right
    window = place.window(ANA) or {}
    assert window["blocks"][-1]["element"]["initial_value"] == "$1,250.50"
    assert await place.submit({"amount": ""}, user=ANA) == {}
    await place.at_rest()
    assert "Won" in card(lead)
    assert "$1,250.50" not in card(lead)
    await press(lead, "lead_reopen", by=BEN)
    assert "New · nobody has it yet" in card(lead)
    await press(lead, "lead_lost", by=BEN)
    assert "Lost" in card(lead)
    await stale(lead, "lead_lost", by=OLGA)
    assert "says so already" in whispered(lead, OLGA)
    assert [kind for kind, _ in await kinds(place)] == ["won", "won", "reopened", "lost"]
    assert place.thumbtack.received(lead.lead_id) == []


async def test_what_a_lead_that_is_over_has_no_button_for_changes_nothing(place: Office):
    lead = await Conversation.opened(place)
    await press(lead, "lead_handover", by=BEN)
    await press(lead, "lead_won")
    assert await place.submit({"amount": ""}, user=ANA) == {}
    await place.at_rest()
    for action_id in ("lead_claim", "lead_release", "lead_elsewhere", "lead_lost"):
        await stale(lead, action_id, by=OLGA)
        assert "This lead is over" in whispered(lead, OLGA), action_id
    assert "This lead is over" in (await place.submit({"to": OLGA}, user=BEN))["to"]
    assert await kinds(place) == [("won", ANA)]
    assert [row.owner for row in await place.rows(Lead)] == [None]


async def test_one_window_submitted_twice_has_one_effect(place: Office):
    lead = await Conversation.opened(place)
    await press(lead, "lead_won")
    answers = await asyncio.gather(
        *(place.slack.submit(ANA, {"amount": "450"}) for _ in range(2)), return_exceptions=True
    )
    await place.at_rest()
    assert [one for one in answers if not isinstance(one, BaseException)]
    assert [place.read(line) for line in lead.lines].count("🏆 @Ana marked this lead as won: $450.") == 1
    assert await kinds(place) == [("won", ANA)]


async def test_buttons_of_erased_leads_and_values_that_are_not_ours_get_a_sentence(place: Office):
    lead, other = await Conversation.opened(place), await Conversation.opened(place)
    ids = [row.id for row in await place.rows(Lead)]
    for action_id in (
        "lead_claim",
        "lead_release",
        "lead_elsewhere",
        "lead_lost",
        "lead_reopen",
        "lead_handover",
        "lead_won",
    ):
        for value in ("999999", "x", ""):
            before = len(place.whispers(ANA))
            await stale(lead, action_id, value=value)
            assert "erased" in whispered(lead, ANA), (action_id, value)
            assert len(place.whispers(ANA)) == before + 1
    # a database may give the id of an erased lead to a new one: an old card does not act on that
    await stale(lead, "lead_claim", value=str(ids[1]))
    assert "erased" in whispered(lead, ANA)
    assert "nobody has it yet" in card(other)
    assert await kinds(place) == []


async def test_guests_and_other_companies_people_read_and_do_not_act_unless_allowed(place: Office):
    lead = await Conversation.opened(place)
    place.slack.add_person(GUEST, "Gus", is_restricted=True)
    place.slack.add_person(CLIENT, "Clio", team_id="T0OTHER")
    for who in (GUEST, CLIENT):
        place.slack.workspace.channel(CHANNEL).members.append(who)
        for action_id in ("lead_claim", "lead_elsewhere", "lead_handover", "lead_won", "lead_lost", "reply_open"):
            await press(lead, action_id, by=who)
            assert "Guests and people of other companies" in whispered(lead, who)
        assert place.window(who) is None
    assert "nobody has it yet" in card(lead)
    await press(lead, "lead_handover")
    assert "guest" in (await place.submit({"to": GUEST}, user=ANA))["to"]
    await allow(place, [GUEST])
    await press(lead, "lead_claim", by=GUEST)
    assert "Claimed · @Gus" in card(lead)


async def allow(place: Office, people: Sequence[str]) -> None:
    """Olga, an admin, allows people to work leads."""
    await place.command("settings")
    await place.press("settings_who")
    assert await place.submit({"people": list(people)}) == {}


async def test_where_slack_is_silent_about_who_somebody_is_nothing_is_done_and_they_are_told(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.stand("users.info", down())
    await press(lead, "lead_claim")
    assert "Slack did not say" in whispered(lead, ANA)
    place.slack.faults.clear()
    await press(lead, "lead_claim")
    assert "Claimed · @Ana" in card(lead)
    place.slack.faults.stand("users.info", down())
    await place.advance(minutes=10)
    await press(lead, "lead_release")  # who is known stays known
    assert "nobody has it yet" in card(lead)


async def test_a_lead_of_the_other_environment_is_worked_too_and_a_test_delivery_is_not(place: Office):
    lead = await Conversation.opened(place, staging=True)
    assert [one for one in offered(lead) if one.startswith(("lead_claim", "reply", "lead_saved"))] == ["lead_claim"]
    await press(lead, "lead_claim")
    assert "Claimed · @Ana" in card(lead)


async def test_what_was_pressed_while_slack_was_down_is_shown_when_it_is_back(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.stand("chat.update", down())
    assert (await place.slack.press(ANA, CHANNEL, lead.ts, "lead_claim")).status == 200
    await place.stop()
    place.slack.faults.clear()
    await place.start()
    await place.advance(minutes=2)
    await place.seen(lambda: "Claimed · @Ana" in card(lead))
