"""By which of Thumbtack's APIs a reply to a lead can go out, if by any.

A lead that v4 told of is answered over the business's v4 connection; one that the Pro API told of over its connection
there (v2, Bearer), or with the user name and password of the v1 endpoint where the business has none. Where both told of
it, v4 is preferred, and each API gets the id by which it calls the lead.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.errors import Reason
from bot.settings import Settings
from storage import businesses, connections, leads
from storage.database import Transaction
from storage.models import Connection, ConnectionState, Environment, Generation, Lead

SCOPES = {Generation.LEGACY: "messages", Generation.V4: "supply::messages.write"}
"""What a connection must be allowed so that replies go out over it."""


class Api(Enum):
    """The endpoints that take a reply."""

    V1 = "v1"
    V2 = "v2"
    V4 = "v4"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How replies to a lead go. `lead_id`: what this API calls the lead; `waits`: the business must be connected again."""

    api: Api
    lead_id: str
    connection_id: int | None = None
    waits: bool = False


async def find(tx: Transaction, settings: Settings, lead: Lead, *, now: datetime) -> Way | Reason:
    """The way of a lead's replies, or the code of what keeps them from being sent."""
    if lead.environment != settings.thumbtack_environment:
        return Reason.OTHER_ENVIRONMENT
    if lead.is_test and lead.environment == Environment.PRODUCTION:
        return Reason.TEST_LEAD
    business = await businesses.get(tx, lead.business_id)
    if business is not None and business.disconnected_at is not None:
        return Reason.DISCONNECTED
    v4 = await _over(tx, settings, lead, Generation.V4, now=now)
    legacy = await _over(tx, settings, lead, Generation.LEGACY, now=now)
    legacy_id = await leads.id_in(tx, lead, Generation.LEGACY)
    if not isinstance(legacy, Way) and legacy_id is not None and has_v1(settings):
        legacy = Way(api=Api.V1, lead_id=legacy_id) if lead.business_id is not None else Reason.NO_BUSINESS
    found = [way for way in (v4, legacy) if isinstance(way, Way)]
    if found:
        return min(found, key=lambda way: way.waits)  # v4 first, where both can or neither
    return next((reason for reason in (v4, legacy) if isinstance(reason, Reason)), Reason.NOT_CONFIGURED)


async def _over(
    tx: Transaction, settings: Settings, lead: Lead, generation: Generation, *, now: datetime
) -> Way | Reason | None:
    """The way over the business's connection to one of the APIs; None where there is none, or it does not know the lead."""
    lead_id = await leads.id_in(tx, lead, generation)
    found = None if lead_id is None else await connections.of_business(tx, lead.business_id, generation)
    if lead_id is None or found is None:
        return None
    if SCOPES[generation] not in found.scopes:
        return Reason.SCOPE_MISSING
    if _is_over(settings, found, now=now):
        return None
    api = Api.V2 if generation is Generation.LEGACY else Api.V4
    return Way(api=api, lead_id=lead_id, connection_id=found.id, waits=found.state == ConnectionState.BROKEN)


def has_v1(settings: Settings) -> bool:
    """Whether there are credentials for the v1 message endpoint."""
    return settings.thumbtack_legacy_username is not None and settings.thumbtack_legacy_password is not None


def _is_over(settings: Settings, connection: Connection, *, now: datetime) -> bool:
    """A client that another system uses too is never renewed: its tokens are good once."""
    shared = settings.thumbtack_shared_client and connection.generation == Generation.LEGACY
    return shared and connection.expires_at is not None and connection.expires_at <= now
