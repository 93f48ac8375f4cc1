"""One request of a customer, as both of Thumbtack's APIs tell of it: each by an id of its own."""

from datetime import datetime
from typing import Any

from sandbox.thumbtack import bodies, v4_bodies


def one_request(at: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lead of the Pro API and the negotiation of v4."""
    request, customer = {"requestID": bodies.new_id()}, {"customerID": bodies.CUSTOMER_ID}
    legacy = bodies.lead(request=request, customer=customer)
    return legacy, v4_bodies.negotiation(v4_bodies.SCENES[0], at=at, request=request, customer=customer)
