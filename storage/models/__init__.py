"""The rows: what is remembered, and for what. Rows are made and changed only by the functions of `storage`.

`id` is ours; `thumbtack_id`, `slack_ts` and the like are other people's, always text. Columns ending in `_at` are UTC
instants. Enumerations are stored as their text, so that an older program can read a newer row.

A new database is made of them, one that is there is migrated, and both are the same: a column that is added stands last.
"""

from storage.models.base import NAMING, BigId, Environment, Row
from storage.models.connections import (
    Connection,
    ConnectionBusiness,
    ConnectionState,
    Consent,
    Erasure,
    Generation,
    Phone,
    Targeting,
    Webhook,
)
from storage.models.leads import (
    Business,
    Customer,
    Direction,
    Lead,
    LeadAlias,
    LeadCharge,
    LeadEvent,
    LeadOutcome,
    Message,
    ReplyState,
    Review,
    Thread,
)
from storage.models.people import Audit, Keeper, Manager
from storage.models.team import Channel, ContactData, FirstReply, Person, Route, SavedReply
from storage.models.work import Inbox, Lane, Lease, Outbox, Presence, Seal, WorkState

__all__ = [
    "NAMING",
    "Audit",
    "BigId",
    "Business",
    "Channel",
    "Connection",
    "ConnectionBusiness",
    "ConnectionState",
    "Consent",
    "ContactData",
    "Customer",
    "Direction",
    "Environment",
    "Erasure",
    "FirstReply",
    "Generation",
    "Inbox",
    "Keeper",
    "Lane",
    "Lead",
    "LeadAlias",
    "LeadCharge",
    "LeadEvent",
    "LeadOutcome",
    "Lease",
    "Manager",
    "Message",
    "Outbox",
    "Person",
    "Phone",
    "Presence",
    "ReplyState",
    "Review",
    "Route",
    "Row",
    "SavedReply",
    "Seal",
    "Targeting",
    "Thread",
    "Webhook",
    "WorkState",
]
