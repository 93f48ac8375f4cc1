"""Thumbtack's own test path, step by step: its test environment makes a lead, and we write to that lead's customer.

Source: the Pro API's page, "Create Test Data on Thumbtack" and "Test Thumbtack Messaging Endpoint".
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import Enum

from bot.services import Services
from storage import connections
from storage.database import Transaction
from storage.models import Business, Environment, Generation
from webhooks.thumbtack.credentials import TokenStore
from webhooks.thumbtack.errors import CallError, RequestRejected
from webhooks.thumbtack.facts import LeadReceived

TEXT = "Hello from Corkboard. This is a test message."
NOBODYS_LEAD = "1"
"""A lead that no business has: whoever says that a message to it arrived does not look at leads at all."""

SAMPLE_LEADS = frozenset({"380497493950742534"})
"""The lead of the Pro API's page; an answer that names it was copied from there."""


class Verdict(Enum):
    """What a step showed."""

    HOLDS = "holds"
    DUMMY = "dummy"  # it was answered, and nothing was done
    UNCLEAR = "unclear"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call: what was asked of Thumbtack, what came back, and what that means. All of it is text for people."""

    title: str
    asked: str
    answered: str
    means: str
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A connected business, in whose name a message can be sent."""

    business: Business
    tokens: TokenStore


async def speakers(services: Services) -> dict[str, Speaker]:
    """The businesses of the test environment that are connected with the Pro API, by their ids at Thumbtack."""
    async with services.database.reading() as tx:
        found = await connections.connected_businesses(
            tx, environment=Environment.STAGING, generation=Generation.LEGACY
        )
        return {one.thumbtack_id: await _speaker(services, tx, one) for one in found}


async def _speaker(services: Services, tx: Transaction, business: Business) -> Speaker:
    connection = await connections.of_business(tx, business.id, Generation.LEGACY)
    return Speaker(business=business, tokens=services.tokens.of((connection and connection.id) or 0))


async def steps(
    services: Services, connected: Mapping[str, Speaker], *, business_id: str | None
) -> AsyncIterator[Step]:
    """Each step as soon as it was done; none follows one that failed.

    `connected`: as `speakers` tells. `business_id` None: Thumbtack makes a business up with the lead.
    """
    lead, told = await _make_lead(services, business_id=business_id)
    yield told
    if lead is None or lead.business is None:
        return
    speaker = connected.get(lead.business.thumbtack_id)
    post = _Post(services=services, speaker=speaker, business_id=lead.business.thumbtack_id)
    if speaker is not None:
        told = await _whose(services, speaker)
        yield told
        if told.verdict is Verdict.FAILED:
            return
    to_nobody = await post.send(NOBODYS_LEAD)
    yield _probed(post, to_nobody)
    yield _sent(post, await post.send(lead.lead_id), lead_id=lead.lead_id, to_nobody=to_nobody)


async def _make_lead(services: Services, *, business_id: str | None) -> tuple[LeadReceived | None, Step]:
    body = "{}" if business_id is None else json.dumps({"businessID": business_id})
    asked = f"POST /v1/test/create-lead (Basic) {body}"
    try:
        lead = await services.thumbtack.create_test_lead(business_id=business_id)
    except CallError as error:
        means = "No lead was made. Ask Thumbtack whether these credentials are for its test environment."
        return None, Step(title="Make a lead", asked=asked, answered=_said(error), means=means, verdict=Verdict.FAILED)
    verdict, means = _judged(lead, business_id)
    return lead, Step(title="Make a lead", asked=asked, answered=_described(lead), means=means, verdict=verdict)


def _judged(lead: LeadReceived, business_id: str | None) -> tuple[Verdict, str]:
    if lead.business is None:
        return Verdict.FAILED, "It names no business, so nobody can be written to."
    if lead.lead_id in SAMPLE_LEADS:
        return Verdict.DUMMY, "This is the sample of Thumbtack's documentation: no lead was made."
    if business_id not in (None, lead.business.thumbtack_id):
        return (
            Verdict.DUMMY,
            f"It is for another business than {business_id}: Thumbtack did not look at what was asked.",
        )
    means = "Thumbtack does not say whether it sends us this lead by webhook; if it does, its card in Slack says TEST."
    return Verdict.HOLDS, means


def _described(lead: LeadReceived) -> str:
    what = ", ".join(filter(None, (lead.category, lead.city, lead.state)))
    business = f"business {lead.business.thumbtack_id}" if lead.business else "no business"
    name = f" ({lead.business.name})" if lead.business and lead.business.name else ""
    return f"lead {lead.lead_id}{f' ({what})' if what else ''}, {business}{name}"


async def _whose(services: Services, speaker: Speaker) -> Step:
    title, asked = "Ask whose the token is", "GET /v2/get-thumbtack-info (Bearer)"
    try:
        grant = await services.thumbtack.oauth(Generation.LEGACY).whose(speaker.tokens)
    except CallError as error:
        means = "The connection cannot be used. Type /thumbtack connect in Slack."
        return Step(title=title, asked=asked, answered=_said(error), means=means, verdict=Verdict.FAILED)
    business, expected = grant.businesses[0], speaker.business.thumbtack_id
    answered = f"business {business.thumbtack_id} ({business.name or 'no name'})"
    answered += f", scopes: {', '.join(grant.scopes)}" if grant.scopes else ""
    verdict, means = Verdict.HOLDS, "The token is accepted, and is for the business that was connected."
    if business.thumbtack_id != expected:
        verdict, means = (
            Verdict.DUMMY,
            f"The token is accepted, but the business is not {expected}, which was connected.",
        )
    return Step(title=title, asked=asked, answered=answered, means=means, verdict=verdict)


@dataclass(frozen=True, kw_only=True)
class _Post:
    """How messages are sent: by v2 in the name of a connected business, else by v1 with our own credentials."""

    services: Services
    speaker: Speaker | None
    business_id: str

    def address(self, lead_id: str) -> str:
        """What is called, for people."""
        version, scheme = ("v1", "Basic") if self.speaker is None else ("v2", "Bearer")
        return f"POST /{version}/business/{self.business_id}/lead/{lead_id}/message ({scheme})"

    async def send(self, lead_id: str) -> CallError | None:
        """None where Thumbtack says that it has the message."""
        client, business_id = self.services.thumbtack, self.business_id
        try:
            if self.speaker is None:
                await client.send_message_v1(business_id=business_id, lead_id=lead_id, text=TEXT)
            else:
                tokens = self.speaker.tokens
                await client.send_message_v2(tokens, business_id=business_id, lead_id=lead_id, text=TEXT)
        except CallError as error:
            return error
        return None


def _probed(post: _Post, error: CallError | None) -> Step:
    title, asked = "Write to a lead that does not exist", post.address(NOBODYS_LEAD)
    if error is None:
        means = "A dummy answer: Thumbtack says so of any lead. It checked the credentials, and delivered nothing."
        return Step(title=title, asked=asked, answered="success", means=means, verdict=Verdict.DUMMY)
    verdict, means = Verdict.UNCLEAR, "This does not tell whether Thumbtack looks at the lead."
    if isinstance(error, RequestRejected):
        verdict, means = Verdict.HOLDS, "As it should be: Thumbtack looks at the lead before it says success."
    return Step(title=title, asked=asked, answered=_said(error), means=means, verdict=verdict)


def _sent(post: _Post, error: CallError | None, *, lead_id: str, to_nobody: CallError | None) -> Step:
    title, asked = "Write to the lead's customer", post.address(lead_id)
    if error is not None:
        means = "The message did not go out, and replies from Slack would not either."
        return Step(title=title, asked=asked, answered=_said(error), means=means, verdict=Verdict.FAILED)
    verdict, means = Verdict.UNCLEAR, "Thumbtack says that it has the message. A dummy answer cannot be ruled out."
    if to_nobody is None:
        verdict, means = (
            Verdict.DUMMY,
            "The same dummy answer. Test clients get it: the credentials work, no message went.",
        )
    elif isinstance(to_nobody, RequestRejected):
        verdict, means = Verdict.HOLDS, "Thumbtack has the message. Replies from Slack go out like this."
    return Step(title=title, asked=asked, answered="success", means=means, verdict=verdict)


def _said(error: CallError) -> str:
    """An error for the person who asked: what it is, Thumbtack's own sentence, and what to quote to its support."""
    detail = error.detail if isinstance(error, RequestRejected) else None
    trace = f"trace id {error.trace_id}" if error.trace_id else None
    return " ".join(filter(None, (str(error), detail, trace and f"({trace})")))
