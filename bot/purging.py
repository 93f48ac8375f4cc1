"""`corkboard purge`: a business is forgotten at once; its posts in Slack are left to the running `serve`."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import stopping
from bot.reply_rules import Desk
from bot.settings import Settings
from storage import audit, businesses, connections, erasing, forgetting
from storage.database import Database, Transaction
from storage.forgetting import Forgotten
from storage.models import Business, Environment
from storage.outbox import CLAIM_FOR

LOOK_AGAIN = 0.5
"""Seconds until it is looked again whether something about the business is still being said."""


class UnderWay(Exception):  # noqa: N818 -- it reads as the sentence it is
    """Something about this business is being posted or sent just now. Try again in a minute."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What there is of a business, in one of Thumbtack's environments."""

    environment: Environment
    business_id: int | None
    name: str | None
    leads: int


async def look(database: Database, thumbtack_id: str) -> list[Found]:
    """What is known under this id of Thumbtack's: nothing, or a business in one environment or in both."""
    async with database.reading() as tx:
        return [await _found(tx, one) for one in await businesses.named(tx, thumbtack_id)]


async def _found(tx: Transaction, business: Business) -> Found:
    return Found(
        environment=Environment(business.environment),
        business_id=business.id,
        name=business.name,
        leads=await forgetting.count_leads(tx, business.id or 0),
    )


async def purge(
    database: Database,
    settings: Settings,
    thumbtack_id: str,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> dict[str, int]:
    """Forget everything of a business; returns counts, `threads_to_delete` among them.

    Waits while something of it is being said, at most as long as a call may take. Raises UnderWay.
    """
    counts = Counter[str]()
    for found in await look(database, thumbtack_id):
        counts.update(await _purged(database, settings, found, clock=clock, sleep=sleep))
    async with database.transaction() as tx:
        for environment in Environment:  # bodies that were never understood name a business that has no row
            counts["webhooks"] += await forgetting.webhooks(
                tx, environment=environment, business_thumbtack_id=thumbtack_id
            )
    return dict(counts)


async def _purged(
    database: Database,
    settings: Settings,
    found: Found,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
) -> dict[str, int]:
    until = clock() + CLAIM_FOR + timedelta(seconds=5)
    while True:
        try:
            async with database.transaction() as tx:
                desk = Desk(tx=tx, settings=settings, now=clock())
                forgotten = await _forgotten(desk, found)
        except UnderWay:
            if clock() >= until:
                raise
            await sleep(LOOK_AGAIN)
        else:
            return {**forgotten.counts, "threads_to_delete": len(forgotten.places)}


async def _forgotten(desk: Desk, found: Found) -> Forgotten:
    business = await businesses.get(desk.tx, found.business_id)
    if business is None:
        return Forgotten(counts={}, places=[])
    if business.environment == desk.settings.thumbtack_environment:
        await stopping.leave(desk, business, user=None, sealed_url=None)
    else:  # tokens that were given in another environment are of no use here any more
        await connections.leave(desk.tx, business.id or 0, now=desk.now)
    erasure = await erasing.at_once(desk.tx, business, now=desk.now)
    forgotten = await forgetting.business(desk.tx, business, now=desk.now)
    if forgotten is None:
        raise UnderWay(str(UnderWay.__doc__))
    await erasing.begin(desk.tx, erasure, forgotten, now=desk.now)
    audit.record(
        desk.tx,
        team_id=None,
        actor=None,
        action="purged",
        business_id=found.business_id,
        after=forgotten.counts,
        now=desk.now,
    )
    return forgotten
