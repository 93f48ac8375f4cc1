"""Cards too old to be seen, or deleted: news of the lead open a new card with the last messages, and calls nobody twice."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from support.conversation import ANA, CHECK, Conversation
from support.deliveries import all_said
from support.office import CHANNEL, Office

from sandbox.thumbtack import bodies
from storage import renewing, threads
from storage.models import Lead, LeadEvent, Outbox, Thread
from storage.outbox import Kind


async def says(place: Office, lead: Conversation, *texts: str) -> None:
    for text in texts:
        assert (await place.post("/v1/message", bodies.message(lead.lead_id, text))).status_code == 200
    await place.ingested()


def below(place: Office, card: dict) -> list[str]:
    return [place.read(one) for one in place.thread(card)]


def leads_cards(place: Office) -> list[dict]:
    """Without the notice to the channel that nobody was there for long."""
    return [one for one in place.cards if "away again and again" not in place.read(one)]


async def test_a_card_that_was_posted_meanwhile_is_not_followed_by_another(place: Office):
    """Another replica may post it between two looks of whoever reads news."""
    await Conversation.opened(place, request={"attachments": []})
    async with place.database.transaction() as tx:
        lead = (await tx.execute(select(Lead))).scalar_one()
        old = await threads.own(tx, lead.id)
        assert old is not None
        await threads.attach(
            tx, lead_id=old.lead_id, team_id=old.team_id, channel="C0ELSE", ts="1.2", delivery_id="newer",
            as_placeholder=False, now=place.clock(),
        )  # fmt: skip
        found = await renewing.renew(tx, lead, old, now=place.clock(), default=CHANNEL, lane=None)
    assert found == "C0ELSE"
    assert [one.kind for one in await place.rows(Outbox) if one.settled_at is None] == []


async def test_news_of_an_old_lead_open_a_new_card_with_the_last_messages(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    await says(place, lead, *(f"Word {number}" for number in range(6)))
    await all_said(place)
    answer = await lead.say("On our way")
    await lead.marked(answer, CHECK)
    [old] = place.cards
    before, posted_at = below(place, old), (await place.rows(Lead))[0].posted_at
    await place.advance(days=81)
    await says(place, lead, "Back again", "And again")
    await all_said(place)
    [_, new] = place.cards
    [recent, *news] = below(place, new)
    assert "This lead continues here." in recent
    assert [word in recent for word in ("Word 1", "Word 2", "Word 5", "On our way")] == [False, True, True, True]
    assert "The team" in recent
    assert "Back again" not in recent
    assert [("Back again" in one, "And again" in one) for one in news] == [(True, False), (False, True)]
    assert below(place, old) == before
    assert "This lead continues on its newer card." in place.read(place.cards[0])
    said = await place.slack.say(ANA, CHANNEL, "Which day?", thread_ts=new["ts"])
    await place.seen(lambda: place.mark(said.ts) == [CHECK])
    late = await place.slack.say(
        ANA, CHANNEL, "Or a week later?", thread_ts=old["ts"]
    )  # the old thread is still theirs
    await place.seen(lambda: place.mark(late.ts) == [CHECK])
    assert lead.received == ["On our way", "Which day?", "Or a week later?"]
    assert (await place.rows(Lead))[0].posted_at == posted_at
    assert [one.kind for one in await place.rows(LeadEvent)].count("posted") == 2


async def test_a_card_that_is_not_too_old_stays(place: Office):
    lead = await Conversation.opened(place)
    await place.advance(days=79)
    await says(place, lead, "Back again")
    await all_said(place)
    assert len(place.cards) == 1


async def test_a_price_alone_opens_a_new_card_and_what_changes_no_line_does_not(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    await place.advance(days=100)
    update = bodies.price(lead.lead_id, "$31.50")
    for _ in range(2):
        await place.post("/v1/lead/update", update, method="PUT")
    await all_said(place)
    [_, new] = place.cards
    assert ["$31.50" in one for one in below(place, new)] == [False, True]
    assert "This lead continues here." in below(place, new)[0]


async def test_a_new_card_gets_old_in_its_turn(place: Office):
    lead = await Conversation.opened(place)
    for _ in range(2):
        await place.advance(days=81)
        await says(place, lead, "Back again")
        await all_said(place)
    assert len(place.cards) == 3
    assert ["continues on" in place.read(card) for card in place.cards] == [True, True, False]
    assert len(await place.rows(Thread)) == 3


@pytest.mark.knobs(privacy="private")
async def test_for_a_private_business_the_last_messages_are_not_repeated(place: Office):
    lead = await Conversation.opened(place)
    await says(place, lead, "A secret")
    await place.advance(days=81)
    await says(place, lead, "Back again")
    await all_said(place)
    [_, new] = place.cards
    assert not any("continues here" in one or "A secret" in one for one in below(place, new))


async def test_a_stop_between_the_new_card_and_what_follows_loses_and_doubles_nothing(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    await says(place, lead, "Word")
    await all_said(place)
    await place.advance(days=81)
    await place.stop()
    await place.start()
    await says(place, lead, "Back again")
    await place.seen(lambda: len(leads_cards(place)) == 2)
    await place.crash()
    await place.start()
    await place.advance(minutes=2)  # what was claimed is anybody's again
    await all_said(place)
    [_, new] = leads_cards(place)
    assert [("continues here" in one, "Back again" in one) for one in below(place, new)] == [
        (True, False),
        (False, True),
    ]


async def test_a_deleted_card_is_followed_by_a_new_one_with_the_last_messages(place: Office):
    lead = await Conversation.opened(place, request={"attachments": []})
    await says(place, lead, "Before")
    await all_said(place)
    place.slack.workspace.channel(CHANNEL).messages.clear()  # with its thread, as an admin's retention rule does
    place.slack.workspace.channel(CHANNEL).threads.clear()
    await says(place, lead, "After")
    await all_said(place)
    [new] = place.cards
    [recent, news] = below(place, new)
    assert "Before" in recent
    assert "After" not in recent
    assert "After" in news
    assert [one.kind for one in await place.rows(Outbox)].count(Kind.POST_RECENT) == 1


@pytest.mark.parametrize("deleted_first", [True, False])
async def test_two_reasons_for_a_new_card_at_once_give_one_card(place: Office, *, deleted_first: bool):
    await Conversation.opened(place)
    [lead], [thread] = await place.rows(Lead), await place.rows(Thread)

    async def gets_new_card(*, is_deleted: bool, then: Callable[[], Awaitable[object]] | None = None) -> None:
        async with place.database.transaction() as tx:
            if is_deleted:
                await renewing.deleted(tx, thread, now=place.clock())
            else:
                row = await tx.get_one(Lead, lead.id)
                await renewing.renew(tx, row, thread, now=place.clock(), default=CHANNEL, lane=None)
            if then is not None:
                await then()

    async def another() -> None:
        others.append(asyncio.create_task(gets_new_card(is_deleted=not deleted_first)))
        await place.until_somebody_waits()

    others: list[asyncio.Task[None]] = []
    await gets_new_card(is_deleted=deleted_first, then=another)
    await asyncio.gather(*others)
    kinds = [row.kind for row in await place.rows(Outbox) if row.priority == 0 and row.settled_at is None]
    assert kinds.count(Kind.POST_LEAD) <= 1
    await all_said(place)
    assert [row.kind for row in await place.rows(Outbox)].count(Kind.POST_LEAD) == 2  # the first card's, and this one's
    assert len(place.cards) == 2
