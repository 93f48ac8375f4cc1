"""Erasing a business: announced, called off by connecting again, whole, through crashes, and nobody else's."""

from datetime import timedelta

import pytest
from support.conversation import ANA, Conversation
from support.deliveries import all_said, posted, unsettled
from support.office import ADMIN, CHANNEL, Office

from sandbox.faults import Fault
from sandbox.slack.failures import cut, lost_answer, rate_limited, slack_error
from sandbox.thumbtack import bodies
from storage import rules, threads
from storage.models import (
    Audit,
    Business,
    Customer,
    Environment,
    Erasure,
    Inbox,
    Lead,
    LeadCharge,
    LeadEvent,
    Message,
    Outbox,
    Phone,
    Review,
    Route,
    Row,
    Targeting,
    Thread,
)
from storage.rules import By, Rule

OAK, ELM_ID, ELM = bodies.BUSINESS_NAME, "510000000000000777", "Elm Roofing"
SECRETS = ("Maya Alvarez", "4155550134", "Bring a ladder", "Lovely work", "1200 Example Street", OAK)
DAY = {"hours": 24, "minutes": 1}


async def a_history(place: Office) -> Conversation:
    """A lead with all that can belong to one, and a review that stands by itself."""
    await place.connect("legacy")
    lead = await Conversation.opened(place)
    await place.post("/v1/message", bodies.message(lead.lead_id, "Bring a ladder"))
    await place.at_rest()
    await lead.say("Will do.")
    await place.post("/v1/lead/update", bodies.price(lead.lead_id, "$20.00"), method="PUT")
    photos = [
        {"url": "https://www.thumbtack.com/attachment/00c1/roof.jpg", "mimeType": "image/jpeg", "fileName": "roof"}
    ]
    for review in (
        bodies.review(lead.lead_id, "5", "Lovely work"),
        bodies.review(None, "4", "Lovely work again", review={"photos": photos}),
    ):
        assert (await place.post("/v1/review", review)).status_code == 200
    await all_said(place, seconds=20)
    return lead


async def ask(place: Office, how: str = "erase", business: str | None = None) -> None:
    await place.command("disconnect")
    assert await place.submit({"how": how} | ({"business": business} if business else {})) == {}
    await place.at_rest()


def in_channel(place: Office) -> str:
    return "\n".join(place.read(one) for one in posted(place))


async def everything_stored(place: Office) -> str:
    """All rows as text, bodies and all."""
    kinds: tuple[type[Row], ...] = (
        Audit, Business, Customer, Erasure, Inbox, Lead, LeadCharge, LeadEvent, Message, Outbox, Phone, Review,
        Targeting, Thread,
    )  # fmt: skip
    return "\n".join([str(vars(one)) for kind in kinds for one in await place.rows(kind)])


async def test_a_business_is_erased_a_day_later_rows_bodies_and_posts_and_a_receipt_says_so(place: Office):
    lead = await a_history(place)
    await ask(place)
    assert "is going to be erased" in in_channel(place)
    assert "To call it off, connect it again before" in place.whispers(ADMIN)[-1]
    assert "roof" in in_channel(place)
    before = len(posted(place))
    await place.advance(hours=23)
    await place.at_rest()
    assert (len(posted(place)), len(await place.rows(Lead))) == (before, 1)
    await place.advance(hours=1, minutes=1)
    await all_said(place, minutes=1)
    for row in (Business, Customer, Inbox, Lead, LeadCharge, LeadEvent, Message, Review, Thread):
        assert await place.rows(row) == [], row
    thread = place.slack.thread(CHANNEL, lead.ts)
    assert [one["text"] for one in thread] == ["This message was deleted.", "Will do."]
    left = in_channel(place)
    assert "roof" not in left
    assert [secret for secret in SECRETS[:-1] if secret in left] == []
    stored = await everything_stored(place)
    assert [secret for secret in SECRETS if secret in stored] == []
    (erasure,) = await place.rows(Erasure)
    assert (erasure.business_name, erasure.thumbtack_id) == (None, None)
    assert erasure.finished_at is not None
    assert erasure.counts["leads"] == 1
    assert erasure.counts["posts"] >= 6
    receipt = place.told(ADMIN)[-1]
    assert f"{OAK} is erased." in receipt
    assert "1 lead, 1 customer, 2 messages, 2 reviews" in receipt
    assert f"{erasure.counts['posts']} posts in Slack" in receipt
    assert "by hand" not in receipt
    written = (await place.rows(Audit))[-1]
    assert (written.action, written.actor, written.after["leads"]) == ("erased", ADMIN, 1)


@pytest.mark.knobs(slack_keepers="U0BEN")
async def test_keepers_hear_of_it_before_and_after(place: Office):
    await a_history(place)
    await ask(place)
    assert any("is going to be erased" in told for told in place.told("U0BEN"))
    await place.advance(**DAY)
    await all_said(place, minutes=1)
    assert f"{OAK} is erased." in place.told("U0BEN")[-1]
    assert f"{OAK} is erased." in place.told(ADMIN)[-1]


async def test_connecting_again_calls_it_off_and_everybody_hears_it(place: Office):
    lead = await a_history(place)
    await ask(place)
    await place.advance(hours=20)
    await place.connect("v4")
    assert f"{OAK} is connected again: it is not going to be erased." in in_channel(place)
    await place.advance(hours=48)
    await all_said(place)
    assert [one.thumbtack_id for one in await place.rows(Lead)] == [lead.lead_id]
    assert [(one.cancelled_at is None, one.started_at) for one in await place.rows(Erasure)] == [(False, None)]


async def test_another_business_is_untouched(place: Office):
    await a_history(place)
    other = {"business": {"businessID": ELM_ID, "name": ELM}}
    theirs = await Conversation.opened(place, **other)
    await place.post("/v1/message", bodies.message(theirs.lead_id, "Ours is fine", businessID=ELM_ID))
    await all_said(place, seconds=20)
    shown = [one["text"] for one in place.slack.thread(CHANNEL, theirs.ts)]
    await place.command(f"disconnect {OAK}")
    assert await place.submit({"how": "erase"}) == {}
    await place.at_rest()
    await place.advance(**DAY)
    await all_said(place, minutes=1)
    assert [one["text"] for one in place.slack.thread(CHANNEL, theirs.ts)] == shown
    assert [one.name for one in await place.rows(Business)] == [ELM]
    assert [one.thumbtack_id for one in await place.rows(Lead)] == [theirs.lead_id]
    assert len(await place.rows(Customer)) == len(await place.rows(Thread)) == 1
    assert {one.business_thumbtack_id for one in await place.rows(Inbox)} == {ELM_ID}


async def test_killed_between_any_two_steps_it_goes_on_where_it_was(place: Office):
    lead = await a_history(place)
    await ask(place)
    await place.advance(**DAY)
    for _ in range(40):
        await place.crash()
        await place.start()
        method = "conversations.replies" if len(await unsettled(place)) % 2 else "chat.delete"
        place.slack.faults.add(method, lost_answer())
        await place.at_rest()
        if not await unsettled(place):
            break
        await place.advance(minutes=1)
    await all_said(place, minutes=1)
    assert [one["text"] for one in place.slack.thread(CHANNEL, lead.ts)] == ["This message was deleted.", "Will do."]
    assert [told for told in place.told(ADMIN) if f"{OAK} is erased." in told] != []
    assert await place.rows(Lead) == []


async def test_slack_that_is_slow_or_refuses_holds_up_neither_the_receipt_nor_other_posts(place: Office):
    await a_history(place)
    await ask(place)
    place.slack.faults.add("chat.delete", rate_limited(30))
    place.slack.faults.add("chat.delete", cut())
    place.slack.faults.add("chat.delete", slack_error("cant_delete_message"))
    await place.advance(**DAY)
    await place.at_rest()
    new = await Conversation.opened(place)  # Thumbtack still sends: a new lead is kept, and shown at once
    await all_said(place, minutes=1)
    receipt = place.told(ADMIN)[-1]
    assert "Slack refused to delete 1 post of ours. Delete them by hand." in receipt
    assert [one.thumbtack_id for one in await place.rows(Lead)] == [new.lead_id]


async def test_a_channel_that_cannot_be_reached_for_two_days_is_told_in_the_receipt(place: Office):
    await a_history(place)
    await ask(place)
    place.slack.faults.stand("conversations.replies", slack_error("channel_not_found"))
    await place.advance(**DAY)
    await all_said(place, hours=3)
    assert "could not be reached" in place.told(ADMIN)[-1]
    (erasure,) = await place.rows(Erasure)
    assert erasure.finished_at is not None
    assert erasure.finished_at - erasure.asked_at < timedelta(days=4)


async def test_a_card_whose_answer_was_lost_is_found_and_deleted_too(place: Office):
    await place.connect("legacy")
    place.slack.faults.add("chat.postMessage", lost_answer())
    place.slack.faults.stand("conversations.history", Fault(status=503))
    await place.post("/v1/lead", bodies.lead())
    await place.seen(lambda: any("Interior Painting" in one["text"] for one in place.cards))
    await ask(place)
    await place.advance(**DAY)
    await place.at_rest()
    place.slack.faults.clear("conversations.history")
    await all_said(place, minutes=1)
    assert "Interior Painting" not in in_channel(place)
    assert await place.rows(Lead) == []


async def test_old_threads_whose_card_somebody_deleted_are_erased_too(place: Office):
    lead = await a_history(place)
    place.slack.workspace.remove(place.slack.workspace.channel(CHANNEL), lead.ts)
    await place.post("/v1/message", bodies.message(lead.lead_id, "Bring a ladder, please"))
    await all_said(place, seconds=20)
    assert len(await place.rows(Thread)) == 1
    await ask(place)
    await place.advance(**DAY)
    await all_said(place, minutes=1)
    assert "ladder" not in in_channel(place)


async def test_asked_twice_is_once(place: Office):
    await a_history(place)
    await ask(place)
    await place.command("disconnect")
    assert await place.submit({"how": "erase"}) == {"how": "It is going to be erased already."}
    assert len(await place.rows(Erasure)) == 1


async def test_what_people_write_meanwhile_goes_with_it(place: Office):
    lead = await a_history(place)
    await ask(place)
    ts = await lead.say("note: they have left", by=ANA)
    await place.advance(**DAY)
    await all_said(place, minutes=1)
    assert ts in {one["ts"] for one in place.slack.thread(CHANNEL, lead.ts)}
    assert await place.rows(Message) == []
    await lead.say("Anybody here?")  # under a tombstone: nobody's thread
    await place.at_rest()
    assert await place.rows(Message) == []


@pytest.mark.parametrize("is_elsewhere", [False, True])
async def test_rules_that_name_it_go_with_it_unless_the_other_environment_has_it_too(
    place: Office, *, is_elsewhere: bool
):
    await a_history(place)
    by = By(team_id="T0CORKBOARD", actor=ADMIN, now=place.clock())
    async with place.database.transaction() as tx:
        for business_id in (bodies.BUSINESS_ID, ELM_ID):
            await rules.save(tx, Rule(channel=CHANNEL, business=business_id), rule_id=None, by=by)
        if is_elsewhere:
            tx.add(
                Business(
                    environment=Environment.STAGING, thumbtack_id=bodies.BUSINESS_ID, name="Oak", created_at=by.now
                )
            )
    await ask(place)
    await place.advance(**DAY)
    await all_said(place, minutes=1)
    assert [rule.business for rule in await place.rows(Route)] == [*[bodies.BUSINESS_ID] * is_elsewhere, ELM_ID]


async def test_a_placeholder_that_did_not_know_its_business_goes_with_the_lead_that_it_joined(place: Office):
    await a_history(place)
    [lead] = await place.rows(Lead)
    async with place.database.transaction() as tx:
        gone = Lead(environment=lead.environment, thumbtack_id="77", generation="legacy", joined_id=lead.id)
        other = Lead(environment=lead.environment, thumbtack_id="78", generation="legacy")
        tx.add_all([gone, other])
        await tx.flush()
        await threads.attach(
            tx, lead_id=gone.id, team_id="T0CORKBOARD", channel=CHANNEL, ts="1.2", delivery_id="d", as_placeholder=True,
            now=place.clock(),
        )  # fmt: skip
    await ask(place)
    await place.advance(**DAY)
    await all_said(place, minutes=1)
    assert [row.thumbtack_id for row in await place.rows(Lead)] == ["78"]
    assert await place.rows(Thread) == []
