"""By which of Thumbtack's APIs a reply to a lead can go out, if by any.

A lead that came by the Pro API is answered over the business's connection (v2, Bearer), or with the user name and
password of the v1 endpoint where the business has none; a lead that came by v4 over the business's v4 connection.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.errors import Reason
from bot.settings import Settings
from storage import businesses, connections
from storage.database import Transaction
from storage.models import Connection, ConnectionState, Generation, Lead

SCOPES = {Generation.LEGACY: "messages", Generation.V4: "supply::messages.write"}
"""What a connection must be allowed so that replies go out over it."""


class Api(Enum):
    """The endpoints that take a reply."""

    V1 = "v1"
    V2 = "v2"
    V4 = "v4"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How replies to a lead go. `waits`: somebody must connect the business again first."""

    api: Api
    connection_id: int | None = None
    waits: bool = False


async def find(tx: Transaction, settings: Settings, lead: Lead, *, now: datetime) -> Way | Reason:
    """The way of a lead's replies, or the code of what keeps them from being sent."""
    if lead.environment != settings.thumbtack_environment:
        return Reason.OTHER_ENVIRONMENT
    business = await businesses.get(tx, lead.business_id)
    if business is not None and business.disconnected_at is not None:
        return Reason.DISCONNECTED
    generation = Generation(lead.generation)
    found = await connections.of_business(tx, lead.business_id, generation)
    lacks_scope = found is not None and SCOPES[generation] not in found.scopes
    if found is not None and not lacks_scope and not _is_over(settings, found, now=now):
        api = Api.V2 if generation is Generation.LEGACY else Api.V4
        return Way(api=api, connection_id=found.id, waits=found.state == ConnectionState.BROKEN)
    if generation is Generation.LEGACY and has_v1(settings):
        return Way(api=Api.V1) if lead.business_id is not None else Reason.NO_BUSINESS
    return Reason.SCOPE_MISSING if lacks_scope else Reason.NOT_CONFIGURED


def has_v1(settings: Settings) -> bool:
    """Whether there are credentials for the v1 message endpoint."""
    return settings.thumbtack_legacy_username is not None and settings.thumbtack_legacy_password is not None


def _is_over(settings: Settings, connection: Connection, *, now: datetime) -> bool:
    """A client that another system uses too is never renewed: its tokens are good once."""
    shared = settings.thumbtack_shared_client and connection.generation == Generation.LEGACY
    return shared and connection.expires_at is not None and connection.expires_at <= now
