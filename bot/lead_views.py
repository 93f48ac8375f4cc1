"""Gathers all that a lead's card, and the window that opens a private one, show."""

from urllib.parse import quote

from bot import policies, reply_rules, zones
from bot.blocks.lead_view import LeadView
from bot.reply_rules import Desk
from bot.settings import Settings
from storage import businesses, leads, states
from storage.models import Lead


def page_of(settings: Settings, lead: Lead) -> str:
    """Where a lead is opened in Thumbtack."""
    return settings.thumbtack_lead_url.replace("{lead_id}", quote(lead.thumbtack_id, safe=""))


async def of(desk: Desk, lead: Lead) -> LeadView:
    """A lead as it stands now."""
    settings = desk.settings
    ring = settings.slack_ring if lead.ring is None else tuple(lead.ring)
    business = await businesses.get(desk.tx, lead.business_id)
    return LeadView(
        lead=lead,
        business=business,
        customer=await businesses.customer(desk.tx, lead.customer_id),
        replies=await reply_rules.replies_go(desk, lead),
        ring=ring,
        ring_hint=not ring and await leads.is_first_posted(desk.tx, lead),
        lead_url=page_of(settings, lead),
        state=states.of(lead),
        private=await policies.hides(desk.tx, settings, business),
        contacted_before=await leads.contacted_before(desk.tx, lead),
        zone=zones.of_lead(lead, business, always=settings.time_zone),
    )
