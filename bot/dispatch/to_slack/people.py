"""To single people: answers to what they pressed, notices to the keepers, and who becomes a keeper."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot import answers
from bot.blocks import keepers as keeper_blocks
from bot.blocks.posts import Post
from bot.dispatch.plans import Answer, At, Instead, More, Plan, Prepared, Settled
from bot.dispatch.to_slack.leads import NO_CHANNEL
from bot.dispatch.to_slack.notices import NOTICES, Audience, Notice
from bot.dispatch.to_slack.posting import post_body, posting
from bot.dispatch.verdicts import Verdict
from bot.failures import Failure, Sort
from bot.services import Services
from storage import channels, keepers, outbox, pacing, threads
from storage.database import Transaction
from storage.outbox import Kind


async def answer(at: At) -> Prepared:
    """ANSWER {url (sealed), body, or_tell}: by response_url (30 minutes, 5 uses), then as a direct message."""
    payload = at.entry.payload
    url, body, user = at.services.vault.open(payload["url"]), payload["body"], payload.get("or_tell")
    if user is not None and payload.get("told_directly"):
        return to_person(at, user, Post(text=body["text"], blocks=body["blocks"]))

    async def perform() -> Answer:
        await at.services.slack.respond(url, body)
        return {}

    async def failed(
        _tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime
    ) -> Verdict | Instead | Settled:
        if failure.sort is Sort.REFUSED and user is not None:
            return Instead(payload={**payload, "told_directly": True})
        return Settled(reason=failure.reason) if failure.sort in (Sort.REFUSED, Sort.UNKNOWN) else verdict

    return Plan(perform=perform, failed=failed)


async def post_notice(at: At) -> Prepared:
    """POST_NOTICE {notice, …}: to whom the notice is for; keepers, where there are none, are asked for in the channel."""
    notice = NOTICES.get(at.entry.payload["notice"])
    if notice is None:
        return None  # a newer program's
    below = await _below_card(at, notice) if notice.audience is Audience.LEAD else None
    return below or await _to_audience(at, notice)


async def _to_audience(at: At, notice: Notice) -> Prepared:
    found = at.services.settings.slack_keepers or tuple(await keepers.listed(at.tx, at.identity.team_id))
    if notice.audience in (Audience.CHANNEL, Audience.THERE):
        post, found = await notice.post(at, ask_keeper=False), ()
    elif notice.audience is Audience.PERSON:
        post, found = await notice.post(at, ask_keeper=False), (at.entry.payload["user"],)
    elif not found and notice.audience is Audience.KEEPERS_ALONE:
        return None
    else:
        post = await notice.post(at, ask_keeper=not found)
    if post is None:
        return None
    if not found:
        is_there = notice.audience is Audience.THERE
        channel = at.entry.payload["channel"] if is_there else at.services.settings.slack_leads_channel
        return NO_CHANNEL if channel is None else posting(at, post, channel=channel)
    if at.part >= len(found):
        return None
    return to_person(at, found[at.part], post, more=at.part + 1 < len(found))


async def _below_card(at: At, notice: Notice) -> Plan | None:
    """In the thread of the lead that it is about; None where there is none that could be told of it."""
    payload = at.entry.payload
    thread = await threads.of_lead(at.tx, payload.get("lead"))
    if thread is None or await channels.is_closed(at.tx, thread.channel):
        return None
    post = await notice.post(at, ask_keeper=False)
    if post is None:
        return None

    async def failed(tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        if failure.sort not in (Sort.REFUSED, Sort.HELD):
            return verdict
        await outbox.enqueue(tx, Kind.POST_NOTICE, now=now, payload=payload | {"lead": None})
        return Settled(reason=failure.reason)

    return replace(posting(at, post, channel=thread.channel, thread=thread), failed=failed)


def to_person(at: At, user: str, post: Post, *, more: bool = False) -> Plan:
    """A direct message; `more`: others are told after this person, also where this one cannot be."""
    body, others = post_body(post, at.entry.delivery_id), {**at.entry.payload, "part": at.part + 1}

    async def perform() -> Answer:
        return await say_directly(at.services, user, body)

    async def then(_tx: Transaction, _answer: Answer, _now: datetime) -> More | None:
        return More(payload=others) if more else None

    async def failed(
        _tx: Transaction, failure: Failure, verdict: Verdict, _now: datetime
    ) -> Verdict | Instead | Settled:
        if failure.sort is not Sort.REFUSED:
            return verdict
        return Instead(payload=others) if more else Settled(reason=failure.reason)

    return Plan(perform=perform, then=then, failed=failed, pace=pacing.person_key(user))


async def say_directly(services: Services, user: str, body: dict[str, Any]) -> Answer:
    """Post into the conversation with one person; raises Failure."""
    opened = await services.slack.call("conversations.open", {"users": user})
    return await services.slack.call("chat.postMessage", {"channel": opened["channel"]["id"], **body})


async def set_keeper(at: At) -> Prepared:
    """SET_KEEPER {user, url (sealed)}: the first workspace admin who asks becomes the keeper."""
    user, url = at.entry.payload["user"], at.services.vault.open(at.entry.payload["url"])
    team_id, named = at.identity.team_id, at.services.settings.slack_keepers

    async def perform() -> Answer:
        person = (await at.services.slack.call("users.info", {"user": user}))["user"]
        is_ours = not person.get("is_stranger")  # of another company, in a channel shared with it
        return {"admin": is_ours and bool(person.get("is_admin") or person.get("is_owner"))}

    async def then(tx: Transaction, found: Answer, now: datetime) -> None:
        became = user in named
        if found["admin"] and not named:
            became = await keepers.add_first(tx, team_id=team_id, user_id=user, now=now)
        post = keeper_blocks.became() if became else keeper_blocks.did_not(is_admin=found["admin"])
        await answers.enqueue(tx, at.services.vault, url=url, post=post, now=now, or_tell=user)

    return Plan(perform=perform, then=then)
