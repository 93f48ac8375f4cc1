"""Consents at the stand-in for Thumbtack, for tests of the stand-in itself."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from sandbox.thumbtack import ThumbtackStandIn
from sandbox.thumbtack.grants import Pair, challenge_of

CALLBACK = "https://bot.example/thumbtack/callback"
LEGACY = ("legacy-id", "legacy-secret")
V4 = ("v4-id", "v4-secret")
PRO, OTHER = "510", "511"
EVERYTHING = (
    "offline_access supply::businesses.list supply::users.read supply::messages.read supply::messages.write "
    "supply::negotiations.read supply::webhooks.read supply::webhooks.write "
    "supply::businesses/associate-phone-numbers.read supply::businesses/associate-phone-numbers.write"
)


class Clock:
    """A time that stands still until a test moves it."""

    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def advance(self, **ahead):
        self.now += timedelta(**ahead)


class Bearer(httpx.Auth):
    """A token in the Authorization header."""

    def __init__(self, token):
        self.token = token

    def auth_flow(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


def consent_url(generation: str, **changes: str | None) -> str:
    """A consent link as the bot makes it; None leaves a parameter out."""
    fields = {"response_type": "code", "redirect_uri": CALLBACK, "state": "12345678"}
    if generation == "legacy":
        fields |= {"client_id": LEGACY[0], "scope": "messages targeting"}
    else:
        fields |= {"client_id": V4[0], "scope": EVERYTHING, "audience": "urn:partner-api"}
        fields |= {"code_challenge": challenge_of("verifier"), "code_challenge_method": "S256"}
    given = {name: value for name, value in (fields | changes).items() if value is not None}
    page = "connect/" if generation == "legacy" else "oauth2/auth"
    return f"http://thumbtack/{page}?{urlencode(given)}"


def answered(address: str) -> dict[str, str]:
    """What the browser brings back."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def granting(thumbtack: ThumbtackStandIn, generation: str, **changes) -> Pair:
    """The pair of a fresh consent, without HTTP."""
    scopes = ("messages", "targeting") if generation == "legacy" else tuple(EVERYTHING.split())
    asked = {"businesses": [PRO], "scopes": scopes, "redirect_uri": CALLBACK, "audience": "urn:partner-api"} | changes
    code = thumbtack.grants.consent(generation, **asked)
    return thumbtack.grants.exchange(generation, code=code, redirect_uri=CALLBACK)
