"""What people read for a lead type."""

import pytest

from webhooks.thumbtack.payloads.lead_types import LABELS, LeadType, label


def test_all_thirteen_have_a_label_of_their_own():
    assert len(LeadType) == 13
    assert set(LABELS) == set(LeadType)
    assert len(set(LABELS.values())) == 13


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("INSTANT_BOOK", "Instant book"),
        ("HOLOGRAM_VISIT", "Hologram visit"),
        ("Something New", "Something New"),
        ("<!channel>", "<!channel>"),
        (None, None),
    ],
)
def test_labels(sent, shown):
    assert label(sent) == shown
