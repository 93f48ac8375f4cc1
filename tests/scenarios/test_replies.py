"""What people write in a lead's thread: each message gets its one mark, and the customer reads what was meant for them."""

import asyncio
import logging

import pytest
from sqlalchemy import text
from support.conversation import ANA, BEN, CHECK, CROSS, HOURGLASS, MEMO, OLGA, Conversation
from support.office import CHANNEL, Office, office

from sandbox.slack.failures import down
from storage.models import Message
from storage.models import Outbox as OutboxRow

LONG = "a" * 16_385


KINDS = {
    "a reply": ("Yes, we do.", {}, CHECK),
    "also sent to the channel": ("Yes, we did.", {"broadcast": True}, CHECK),
    "as /me": ("is on the way", {"me": True}, CHECK),
    "a file alone": ("", {"files": ["door.jpg"]}, CROSS),
    "a file with text": ("Here is the plan.", {"files": ["plan.pdf"]}, HOURGLASS),
    "a note": ("note: he sounds tired", {}, MEMO),
    "another note": ("// call him first", {}, MEMO),
    "a note with a file": ("note: see the photo", {"files": ["door.jpg"]}, MEMO),
    "like a note": ("internal: too cheap", {}, MEMO),
    "mentions somebody": ("<@U0BEN> can you take this?", {}, MEMO),
    "mentions a group": ("<!subteam^S0CREW> who is free?", {}, MEMO),
    "mentions a channel": ("see <#C0LEADS>", {}, MEMO),
    "only emoji": (":+1: 🎉", {}, MEMO),
    "only a link to Slack": ("https://corkboard.slack.com/archives/C0LEADS/p1", {}, MEMO),
    "too long": (LONG, {}, CROSS),
    "empty": ("", {}, MEMO),
}


async def test_each_kind_of_message_gets_exactly_one_mark(place: Office):
    lead = await Conversation.opened(place)
    said = {kind: await lead.say(words, **kwargs) for kind, (words, kwargs, _) in KINDS.items()}
    for kind, (_, _, mark) in KINDS.items():
        await lead.marked(said[kind], mark)
    await place.at_rest()
    assert {kind: place.mark(ts) for kind, ts in said.items()} == {kind: [mark] for kind, (_, _, mark) in KINDS.items()}
    assert lead.received == ["Yes, we do.", "Yes, we did.", "is on the way"]


async def test_why_a_message_cannot_go_is_said_in_the_thread_to_its_writer(place: Office):
    lead = await Conversation.opened(place)
    await lead.say("", files=["door.jpg"], by=BEN)
    await place.seen(lambda: any("Thumbtack takes text only" in str(line) for line in lead.lines))
    refused = lead.lines[-1]
    assert "<@U0BEN>" in str(refused["blocks"])
    assert not lead.is_offered("reply_retry", to=BEN)  # a file alone can never go
    await lead.say(LONG)
    await place.seen(lambda: any("16,384 characters at most" in str(line) for line in lead.lines))
    assert lead.is_offered("reply_retry")


async def test_what_is_kept_on_a_doubt_goes_when_its_writer_says_so(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("<@U0BEN> comes at 9")
    await lead.marked(ts, MEMO)
    assert not lead.is_offered("reply_send", to=BEN)
    await lead.press("reply_send")
    await lead.marked(ts, CHECK)
    assert lead.received == ["@ben comes at 9"]
    await place.seen(lambda: any("Sending it" in told for told in lead.prompts()))


async def test_a_file_with_text_goes_without_the_file_or_not_at_all(place: Office):
    lead = await Conversation.opened(place)
    goes = await lead.say("Here is the plan.", files=["plan.pdf"])
    await lead.press("reply_send")
    await lead.marked(goes, CHECK)
    stays = await lead.say("Here is another.", files=["plan.pdf"])
    await lead.press("reply_discard")
    await lead.marked(stays, MEMO)
    await place.at_rest()
    assert lead.received == ["Here is the plan."]
    assert not lead.is_offered("reply_send")


async def test_a_file_alone_that_gets_a_text_can_go_after_all(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("", files=["plan.pdf"])
    await lead.marked(ts, CROSS)
    await lead.edit(ts, "This is the plan: two days.")
    await lead.marked(ts, HOURGLASS)
    await lead.press("reply_send")
    await lead.marked(ts, CHECK)
    assert lead.received == ["This is the plan: two days."]


async def test_the_customer_reads_plain_text(place: Office):
    place.slack.add_emoji("corky")
    lead = await Conversation.opened(place)
    typed = "*Hi* & welcome :wave: :corky:\n> quoted\n• see https://example.com/a?b=1&c=2 or <https://example.com|our page> <3"
    ts = await lead.say(typed)
    await lead.marked(ts, CHECK)
    assert lead.received == [
        "Hi & welcome 👋 :corky:\n> quoted\n• see https://example.com/a?b=1&c=2 or our page (https://example.com) <3"
    ]


async def test_names_are_looked_up_once(place: Office):
    lead = await Conversation.opened(place)
    for _ in range(2):
        ts = await lead.say("Ask <@U0OLGA> or <@U0BEN>, they know <#C0LEADS>")
        await lead.press("reply_send")
        await lead.marked(ts, CHECK)
    assert lead.received == ["Ask @olga or @ben, they know #leads"] * 2
    asked = [call.args["user"] for call in place.slack.called("users.info")]
    assert sorted(asked) == [ANA, BEN, OLGA]  # of its writer, whether they are a guest
    assert len(place.slack.called("conversations.info")) == 1


async def test_a_name_that_nobody_may_see_does_not_hold_a_reply(place: Office):
    place.slack.add_channel("C0SECRET", "secret", is_private=True, members=("U0ANA",))
    lead = await Conversation.opened(place)
    ts = await lead.say("as told in <#C0SECRET> by <@U0NOBODY>")
    await lead.press("reply_send")
    await lead.marked(ts, CHECK)
    assert lead.received == ["as told in #channel by @teammate"]


async def test_a_name_that_slack_cannot_tell_now_is_asked_for_again(place: Office):
    lead = await Conversation.opened(place)
    place.slack.faults.stand("users.info", down())
    ts = await lead.say("<@U0BEN> comes at 9")
    await lead.press("reply_send")
    await lead.marked(ts, HOURGLASS)
    await place.at_rest()  # it was tried; who presses the button is asked about, too
    place.slack.faults.clear("users.info")
    assert lead.received == []
    await place.advance(minutes=2)
    await lead.marked(ts, CHECK)
    assert lead.received == ["@ben comes at 9"]


async def test_what_is_not_a_persons_reply_is_not_one(place: Office, caplog):
    caplog.set_level(logging.DEBUG)
    place.slack.echo_posts = True
    lead = await Conversation.opened(place)
    ts = await lead.say("Yes, see https://www.example.com/")
    await lead.marked(ts, CHECK)
    await place.slack.bot_says(CHANNEL, "a bot's advice", thread_ts=lead.ts)
    await place.slack.bot_says(CHANNEL, "an old bot's advice", thread_ts=lead.ts, classic=True)
    await place.slack.join("U0BEN", CHANNEL)
    assert (await place.slack.unfurl(CHANNEL, ts)).status == 200
    await place.at_rest()
    assert lead.received == ["Yes, see https://www.example.com/"]
    assert [row.slack_ts for row in await place.rows(Message)] == [ts]
    assert place.mark(ts) == [CHECK]
    assert lead.prompts() == []
    assert not [record for record in caplog.records if record.name.startswith("slack_bolt")]  # it would tell the words


async def test_what_is_written_elsewhere_is_neither_stored_nor_logged(place: Office, caplog, capfd):
    lead = await Conversation.opened(place)
    elsewhere = await place.slack.say(ANA, CHANNEL, "secret-in-the-channel")
    with caplog.at_level(logging.DEBUG):
        answers = [
            elsewhere,
            await place.slack.say(BEN, CHANNEL, "secret-in-a-thread", thread_ts=elsewhere.ts),
            await place.slack.edit(CHANNEL, elsewhere.ts or "", "secret-edited"),
            await place.slack.say(BEN, CHANNEL, "secret-to-delete", thread_ts=elsewhere.ts),
        ]
        answers.append(await place.slack.delete(CHANNEL, answers[-1].ts or ""))
        ours = await lead.say("This one goes.")
        await lead.marked(ours, CHECK)
    assert [answer.status for answer in answers] == [200] * 5
    assert [row.slack_ts for row in await place.rows(Message)] == [ours]
    assert "secret" not in str([row.payload for row in await place.rows(OutboxRow)])
    out, err = capfd.readouterr()
    assert "secret" not in out + err + caplog.text
    assert "reply_stored" in out + err


async def test_slacks_redeliveries_have_one_effect(place: Office):
    lead = await Conversation.opened(place)
    said = await lead.said("Once, please.")
    for number in (1, 2, 3):
        assert (await place.slack.redeliver(said, number=number)).status == 200
    await lead.marked(said.ts or "", CHECK)
    assert (await place.slack.redeliver(said, number=1)).status == 200
    await place.at_rest()
    assert lead.received == ["Once, please."]
    assert len(await place.rows(Message)) == 1
    assert place.mark(said.ts or "") == [CHECK]


async def test_two_deliveries_at_once_have_one_effect(place: Office):
    lead = await Conversation.opened(place)
    place.slack.events_url, url = None, place.slack.events_url
    said = await lead.said("Once, please.")
    place.slack.events_url = url
    together = [place.slack.redeliver(said, number=number) for number in (1, 2, 3)]
    assert [answer.status for answer in await asyncio.gather(*together)] == [200] * 3
    await lead.marked(said.ts or "", CHECK)
    assert lead.received == ["Once, please."]


async def test_slack_hears_200_only_once_it_is_stored(place: Office):
    lead = await Conversation.opened(place)
    await _rename(place, "message", "message_away")
    said = await lead.said("Do not lose this.")
    assert said.status == 503
    await _rename(place, "message_away", "message")
    assert (await place.slack.redeliver(said, number=1)).status == 200
    await lead.marked(said.ts or "", CHECK)
    assert (await place.slack.redeliver(said, number=2)).status == 200
    await place.at_rest()
    assert lead.received == ["Do not lose this."]


async def test_what_no_database_takes_becomes_a_sign_that_it_does(place: Office):
    lead = await Conversation.opened(place)
    ts = await lead.say("odd \x00 and \ud83d", blocks=[])
    await lead.marked(ts, CHECK)
    assert lead.received == ["odd \ufffd and \ufffd"]


@pytest.mark.knobs(thumbtack_legacy_password=None)
async def test_where_nothing_can_be_sent_everything_stays_inside_and_the_card_says_so(place: Office):
    lead = await Conversation.opened(place)
    card = place.cards[0]
    assert "Replies here stay inside" in str(card["blocks"])
    assert "/pro-inbox/messages/" in str([block for block in card["blocks"] if block["type"] == "actions"])
    await lead.marked(await lead.say("note: hm"), MEMO)
    await lead.marked(await lead.say("", files=["door.jpg"]), MEMO)
    await place.at_rest()
    assert lead.prompts() == []
    for words in ("Yes, we *do*.", "<@U0BEN> look"):
        await lead.marked(await lead.say(words), MEMO)
    await place.at_rest()
    assert lead.received == []
    told, mentions = place.whispers("U0ANA")
    assert ("Kept inside." in told, "Answer in Thumbtack" in told, "to copy:" in told) == (True, True, True)
    assert (told.rstrip("`\n ").endswith("Yes, we do."), "look" in mentions) == (True, True)


async def test_a_test_lead_is_not_answered_from_here(place: Office):
    lead = await Conversation.opened(place, staging=True)
    ts = await lead.say("Yes, we do.")
    await lead.marked(ts, CROSS)
    await place.seen(lambda: any("other environment" in str(line) for line in lead.lines))
    assert not lead.is_offered("reply_retry")
    await lead.marked(await lead.say("note: only a test"), MEMO)
    assert lead.received == []


@pytest.mark.knobs(thumbtack_environment="staging")
async def test_a_test_lead_is_answered_where_this_is_the_test_environment(place: Office):
    test_lead = await Conversation.opened(place, staging=True)
    await test_lead.marked(await test_lead.say("Yes, we do."), CHECK)
    real_lead = await Conversation.opened(place)
    await real_lead.marked(await real_lead.say("Yes, we do."), CROSS)
    assert test_lead.received == ["Yes, we do."]
    assert real_lead.received == []


@pytest.mark.knobs(reply_mode="quiet")
async def test_in_quiet_mode_only_what_says_send_goes_out(place: Office):
    lead = await Conversation.opened(place)
    await lead.marked(await lead.say("He wants it cheap."), MEMO)
    await lead.marked(await lead.say("Send: We come at 9."), CHECK)
    await lead.marked(await lead.say("send: note: never"), MEMO)
    assert lead.received == ["We come at 9."]
    assert lead.prompts() == []


async def test_a_crowd_writes_and_everybody_gets_a_mark(place: Office):
    leads = [await Conversation.opened(place) for _ in range(3)]
    writers = (ANA, BEN, OLGA)
    written = [(lead, await lead.say(f"{n}", by=by)) for n in range(8) for lead, by in zip(leads, writers, strict=True)]
    for lead, ts in written:
        await lead.marked(ts, CHECK)
    assert [lead.received for lead in leads] == [[f"{n}" for n in range(8)]] * 3


async def test_without_thumbtacks_business_nothing_can_be_sent(sqlite_url: str):
    async with office(sqlite_url) as place:
        lead = await Conversation.opened(place, business=None)
        await lead.marked(await lead.say("Yes, we do."), MEMO)
        assert lead.received == []


async def _rename(place: Office, table: str, to: str) -> None:
    async with place.database.transaction() as tx:
        await tx.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))
