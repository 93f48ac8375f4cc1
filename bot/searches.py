"""What somebody looks for, found where they may look: leads of the channels that they are in, and of no others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot import access, policies
from bot.blocks import found as blocks
from bot.blocks.found import Carried, FoundLead
from bot.blocks.mrkdwn import visible
from bot.blocks.posts import Post
from bot.services import Services
from storage import audit, searching
from storage.database import Transaction
from storage.searching import Found, Search, Which
from storage.vault import VaultError

PAGE = 8
"""How many leads a list shows: about two screens of a phone."""

LONGEST_TEXT = 100
"""Characters; a longer name nobody types."""

_WORDS = {"": Which.OPEN, "open": Which.OPEN, "mine": Which.MINE, "unanswered": Which.UNANSWERED}


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who looks."""

    team_id: str
    user_id: str


@dataclass(frozen=True, kw_only=True)
class Turned:
    """Which page of which list somebody turned to."""

    search: Search
    number: int


def typed(text: str, asker: Asker) -> Search:
    """What the words after `/thumbtack leads` look for."""
    which = _WORDS.get(text.strip().casefold(), Which.TEXT)
    return Search(which=which, user=asker.user_id, text=text.strip()[:LONGEST_TEXT] if which is Which.TEXT else "")


def carried(services: Services, search: Search, number: int) -> str:
    """What a button carries that turns to another page: what was typed is sealed, since it may be a customer's name."""
    return f"{search.which}:{number}:{services.vault.seal(search.text) if search.text else ''}"


def turned(services: Services, value: str, asker: Asker) -> Turned | None:
    """What a pressed button carried; None for what is not understood any more."""
    which, number, sealed = (*value.split(":", 2), "", "")[:3]
    if which not in set(Which) or not number.isdecimal() or len(number) > 6:
        return None
    try:
        text = services.vault.open(sealed) if sealed else ""
    except VaultError:
        return None
    return Turned(search=Search(which=Which(which), user=asker.user_id, text=text), number=int(number))


async def listing(services: Services, asker: Asker, search: Search, *, number: int = 0) -> Post:
    """One page of what was looked for, for who asked alone; or why nothing is shown."""
    channels = await reach(services, asker)
    if isinstance(channels, Post):
        return channels
    async with services.database.reading() as tx:
        page = await searching.find(tx, search, channels=channels, number=number, size=PAGE)
        found = [await shown(services, tx, one) for one in page.found]
    if search.which is Which.TEXT:
        await _remembered(services, asker, found)
    buttons = Carried(
        back=carried(services, search, max(0, page.number - 1)), forth=carried(services, search, page.number + 1)
    )
    return blocks.listing(
        search,
        page,
        found,
        carried=buttons,
        now=services.clock(),
    )


async def reach(services: Services, asker: Asker) -> frozenset[str] | Post:
    """The channels whose leads this person may find; else what they are told: who may not work leads finds none."""
    channels, may = await asyncio.gather(
        services.directory.channels_of(asker.user_id),
        access.may_work(services, team_id=asker.team_id, user_id=asker.user_id),
    )
    if may is False:
        return blocks.for_members()
    return blocks.not_asked() if channels is None or may is None else channels


async def shown(services: Services, tx: Transaction, found: Found) -> FoundLead:
    """What a list shows of a lead: of a private one how it stands, and nothing that it says."""
    private = await policies.hides(tx, services.settings, found.business)
    return FoundLead(
        lead=found.lead,
        name=None if private or found.customer is None else found.customer.name,
        business=None if found.business is None else visible(found.business.name),
        private=private,
        url=services.slack.permalink(found.thread.channel, found.thread.ts),
    )


async def _remembered(services: Services, asker: Asker, found: Sequence[FoundLead]) -> None:
    """Who finds a private lead by a name learns whose it is: that is in the audit trail, as opening it is."""
    private = [one for one in found if one.private]
    if not private:
        return
    async with services.database.transaction() as tx:
        for one in private:
            audit.record(
                tx,
                team_id=asker.team_id,
                actor=asker.user_id,
                action="lead_found",
                now=services.clock(),
                subject=str(one.lead.id),
                business_id=one.lead.business_id,
            )
