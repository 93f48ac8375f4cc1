"""What somebody asks for about phone numbers, stored for the dispatcher with where they are answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot import phone_changes
from bot.phone_changes import Wish
from bot.services import Services
from storage import connections, outbox
from storage import phones as phone_rows
from storage.database import Transaction
from storage.models import Business, Generation, Phone
from storage.outbox import FIRST, Kind, phones_lane

LONGEST_SEARCH = 100

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who asked for something, and where they are answered: the response_url, sealed.

    `replace`: the answer takes the place of the list whose button was pressed.
    """

    services: Services
    team_id: str
    user_id: str
    url: str
    replace: bool = False


async def businesses(services: Services, tx: Transaction) -> Sequence[Business]:
    """The businesses whose phone numbers can be asked for, by name."""
    environment = services.settings.thumbtack_environment
    return await connections.connected_businesses(tx, environment=environment, generation=Generation.V4)


async def business(services: Services, tx: Transaction, business_id: int) -> Business | None:
    """One of them, by our id."""
    return next((one for one in await businesses(services, tx) if one.id == business_id), None)


async def phone(services: Services, tx: Transaction, phone_id: int) -> tuple[Business | None, Phone | None]:
    """A number that may call, as far as is known here, with its business."""
    found = await phone_rows.get(tx, phone_id)
    if found is None or found.is_deleted:
        return None, None
    its_business = await business(services, tx, found.business_id)
    return its_business, found if its_business is not None else None


async def list_them(tx: Transaction, who: Who, of: Business, *, find: str = "") -> None:
    """Show the numbers of a business; `find`: only those with this in their name or number."""
    payload = _asker(who, of) | {"find": find[:LONGEST_SEARCH]}
    await outbox.enqueue(tx, Kind.LIST_PHONES, now=who.services.clock(), priority=FIRST, payload=payload)


async def change(tx: Transaction, who: Who, of: Business, wish: Wish) -> None:
    """Change the numbers of a business, after whatever else is to be changed there."""
    await outbox.enqueue(
        tx,
        Kind.CHANGE_PHONES,
        now=who.services.clock(),
        lane=phones_lane(of.id or 0),
        priority=FIRST,
        payload=_asker(who, of) | phone_changes.to_payload(wish),
    )
    log.info("phones_change_stored", change=str(wish.change), business_id=of.id)


def _asker(who: Who, of: Business) -> dict[str, Any]:
    return {
        "business_id": of.id,
        "url": who.url,
        "user": who.user_id,
        "team_id": who.team_id,
        "replace": who.replace,
    }
