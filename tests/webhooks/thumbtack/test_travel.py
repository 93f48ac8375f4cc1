"""What people read for where the work is done."""

import pytest

from webhooks.thumbtack.payloads.travel import label


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("ProviderTravelToCustomer", "At the customer's place"),
        ("CustomerTravelToProvider", "At your place"),
        ("Remote", "Remotely"),
        ("Remote, ProviderTravelToCustomer", "At the customer's place or remotely"),
        (
            "CustomerTravelToProvider,ProviderTravelToCustomer, Remote",
            "At the customer's place, at your place or remotely",
        ),
        ("Remote, SomethingNew", "Remote, SomethingNew"),
        ("Professional must travel to my address.", "Professional must travel to my address."),
        ("", ""),
        (None, None),
    ],
)
def test_labels(sent, shown):
    assert label(sent) == shown
