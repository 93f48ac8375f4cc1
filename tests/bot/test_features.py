"""Which features some scopes are enough for."""

from bot import features
from bot.settings import SCOPES
from storage.models import Generation

LEGACY_SCOPES = ("messages", "targeting")


def test_what_is_asked_for_is_enough_for_everything():
    assert features.works(Generation.V4, SCOPES) == ["leads", "messages", "phone numbers"]
    assert features.works(Generation.LEGACY, LEGACY_SCOPES) == ["messages", "targeting"]
    assert features.lacks(Generation.V4, SCOPES) == features.lacks(Generation.LEGACY, LEGACY_SCOPES) == {}


def test_a_feature_needs_all_of_its_scopes():
    read, write = features.FEATURES[-1].scopes[Generation.V4]
    assert features.works("v4", [read]) == []
    assert features.lacks("v4", [read])["phone numbers"] == (write,)


def test_what_an_api_cannot_do_is_neither_working_nor_lacking():
    assert "targeting" not in features.works("v4", [*SCOPES, "targeting"])
    assert "targeting" not in features.lacks("v4", [])
    assert [feature.name for feature in features.of("legacy")] == ["messages", "targeting"]
