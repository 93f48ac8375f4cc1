"""Sees to it that no business speaks for another: what comes by the address of one is about that one alone."""

from dataclasses import replace
from datetime import datetime

from storage import businesses, leads, reviews, webhooks
from storage.database import Transaction
from storage.models import Environment
from webhooks.thumbtack.facts import BusinessRef, Fact, LeadReceived, MessageReceived, OtherEvent, ReviewReceived
from webhooks.thumbtack.payloads.parts import TEST_BUSINESS

NamesOne = LeadReceived | MessageReceived | ReviewReceived | OtherEvent
"""Facts that may say which business they are about: all that v4's webhooks bring."""


class NotTheirs(Exception):  # noqa: N818 -- it reads as the sentence it is
    """Something came by the address of one business, with its credentials, and is about another's."""


async def of_address(
    tx: Transaction, fact: Fact, *, environment: Environment, address: str | None, at: datetime
) -> Fact:
    """The fact with the business whose `address` (Thumbtack's id in it) it came by, where it names none itself.

    Raises NotTheirs where that business has credentials of its own, whose holder may say nothing about others. An
    address of which we gave nobody credentials was written by hand with the deployment's: there the body is believed. A
    test delivery is about the business that it came for, under whichever id, but does not say what that is called.
    """
    if address is None or not isinstance(fact, NamesOne):
        return fact
    is_guarded = await webhooks.delivered(tx, environment=environment, business_thumbtack_id=address, at=at)
    if is_guarded:
        await _check(tx, fact, environment, address)
    named = fact.business
    if named is None or (named.name == TEST_BUSINESS and (is_guarded or named.thumbtack_id == address)):
        return replace(fact, business=BusinessRef(thumbtack_id=address))
    return fact


async def _check(tx: Transaction, fact: NamesOne, environment: Environment, address: str) -> None:
    named = fact.business
    if named is not None and named.thumbtack_id != address and named.name != TEST_BUSINESS:
        raise NotTheirs
    lead = await leads.find(tx, environment, fact.lead_id) if fact.lead_id else None
    review = await reviews.find(tx, environment, fact.review_id) if isinstance(fact, ReviewReceived) else None
    for known in (lead, review):
        business = None if known is None else await businesses.get(tx, known.business_id)
        if business is not None and business.thumbtack_id != address:
            raise NotTheirs
