"""Why a consent did not become a connection: each reason with what a person reads, in the browser or in Slack."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from storage.models import Generation
from webhooks.thumbtack import errors

AGAIN = "In Slack, type /thumbtack connect to try again."
GET_IN_SLACK = "In Slack, type /thumbtack connect for a new one."

CLIENT_SETTINGS = {
    Generation.V4: "THUMBTACK_CLIENT_ID and THUMBTACK_CLIENT_SECRET",
    Generation.LEGACY: "THUMBTACK_LEGACY_CLIENT_ID and THUMBTACK_LEGACY_CLIENT_SECRET",
}


class Trouble(StrEnum):
    """Our codes; stored, logged and counted as they are."""

    DENIED = "access_denied"
    CONSENT_REFUSED = "consent_refused"
    NO_CODE = "no_code"
    NO_STATE = "no_state"
    UNKNOWN_STATE = "unknown_state"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    NOT_CONFIGURED = "not_configured"
    UNAVAILABLE = "unavailable"
    LOST = "outcome_unknown"
    CODE_REFUSED = "invalid_grant"
    CLIENT_REFUSED = "invalid_client"
    REJECTED = "rejected"
    TOKENS_REFUSED = "reconnect"
    NOT_STORED = "storage"


class NotConnected(Exception):  # noqa: N818 -- it says what happened
    """A consent came to nothing. `generation` is None where it is not known which API it was for."""

    def __init__(self, trouble: Trouble, generation: Generation | None = None) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.generation = generation


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a person reads: what happened, and what to do."""

    status: int
    title: str
    why: str
    what_to_do: str


_TOLD: Mapping[Trouble, Told] = MappingProxyType(
    {
        Trouble.DENIED: Told(
            status=200,
            title="Nothing was connected",
            why="On Thumbtack's page you chose not to connect.",
            what_to_do="If that was a slip, type /thumbtack connect in Slack again.",
        ),
        Trouble.CONSENT_REFUSED: Told(
            status=400,
            title="Nothing was connected",
            why="Thumbtack did not take the request. The client may lack a permission that is asked for, "
            "or this address may not be registered for it.",
            what_to_do="Have {redirect_uri} registered for the client by Thumbtack's partner team, and compare {scopes} "
            "with what they granted. Then type /thumbtack connect in Slack.",
        ),
        Trouble.NO_CODE: Told(
            status=400,
            title="There is nothing to do here",
            why="Thumbtack sends people back to this address once they allowed a connection.",
            what_to_do="In Slack, type /thumbtack connect to begin.",
        ),
        Trouble.NO_STATE: Told(
            status=400,
            title="One more step",
            why="Thumbtack sent you back without saying which of our links you came by.",
            what_to_do="Copy the address of this page now. In Slack, type /thumbtack connect code and paste it there.",
        ),
        Trouble.UNKNOWN_STATE: Told(
            status=400,
            title="This link is not one of ours",
            why="It is incomplete, was changed, or is of another Corkboard or very old.",
            what_to_do=GET_IN_SLACK,
        ),
        Trouble.EXPIRED: Told(
            status=410,
            title="This link has expired",
            why="A link to connect is good for 10 minutes.",
            what_to_do=GET_IN_SLACK,
        ),
        Trouble.REPLAYED: Told(
            status=410,
            title="This link was used already",
            why="A link to connect is good once. Slack says what came of it.",
            what_to_do="If Slack says nothing, type /thumbtack connect there again.",
        ),
        Trouble.NOT_CONFIGURED: Told(
            status=503,
            title="This API is not set up",
            why="Corkboard has no client for it (any more).",
            what_to_do="Whoever runs Corkboard sets {client} and restarts it. Then type /thumbtack connect in Slack.",
        ),
        Trouble.UNAVAILABLE: Told(
            status=503,
            title="Thumbtack cannot be reached",
            why="Nothing was connected: Thumbtack does not answer just now.",
            what_to_do="Wait a minute. Then type /thumbtack connect in Slack.",
        ),
        Trouble.LOST: Told(
            status=502,
            title="Thumbtack's answer was lost",
            why="Nothing is connected here, though Thumbtack may think so.",
            what_to_do="In Slack, type /thumbtack connect to do it again. If Thumbtack says that it is connected already, "
            "type /thumbtack disconnect first.",
        ),
        Trouble.CODE_REFUSED: Told(
            status=400,
            title="Thumbtack no longer takes this code",
            why="A code is good once, and for 5 minutes. It is also refused where {redirect_uri} "
            "is not the redirect URI that Thumbtack knows.",
            what_to_do=AGAIN,
        ),
        Trouble.CLIENT_REFUSED: Told(
            status=502,
            title="Thumbtack does not know this Corkboard",
            why="It refuses the client's id or secret.",
            what_to_do="Whoever runs Corkboard compares {client} with what Thumbtack's partner team gave (test and "
            "production have their own), and restarts it. Then type /thumbtack connect in Slack.",
        ),
        Trouble.REJECTED: Told(
            status=502,
            title="Thumbtack refused the connection",
            why="It did not take the code, and gave a reason that Corkboard does not know.",
            what_to_do="Have {redirect_uri} registered as redirect URI by Thumbtack's partner team. "
            "Then type /thumbtack connect in Slack.",
        ),
        Trouble.TOKENS_REFUSED: Told(
            status=502,
            title="Thumbtack takes back what it gave",
            why="It allowed the connection, but refuses it at its first use.",
            what_to_do=AGAIN,
        ),
        Trouble.NOT_STORED: Told(
            status=503,
            title="Corkboard cannot answer just now",
            why="Its database does not do as asked.",
            what_to_do="Wait a minute. Then type /thumbtack connect in Slack.",
        ),
    }
)


def told(trouble: Trouble, *, generation: Generation | None, redirect_uri: str | None) -> Told:
    """What a person reads, with the settings of that API and our redirect URI where they are to be compared."""
    names = " or ".join(CLIENT_SETTINGS.values()) if generation is None else CLIENT_SETTINGS[generation]
    scopes = "THUMBTACK_LEGACY_SCOPES" if generation is Generation.LEGACY else "THUMBTACK_SCOPES"
    found = _TOLD[trouble]
    values = {"client": names, "scopes": scopes, "redirect_uri": redirect_uri or "our redirect URI"}
    return Told(
        status=found.status,
        title=found.title,
        why=found.why.format(**values),
        what_to_do=found.what_to_do.format(**values),
    )


def of_exchange(error: errors.CallError) -> Trouble:
    """What a token endpoint's refusal of a code means (RFC 6749, section 5.2; Thumbtack's legacy OAuth codes)."""
    match error:
        case errors.TryLater():
            return Trouble.UNAVAILABLE
        case errors.OutcomeUnknown() | errors.UnexpectedResponse():
            return Trouble.LOST
        case errors.ReconnectRequired():
            return Trouble.CLIENT_REFUSED
        case errors.RequestRejected(code="invalid_grant"):
            return Trouble.CODE_REFUSED
        case errors.RequestRejected(code="invalid_client" | "unauthorized_client"):
            return Trouble.CLIENT_REFUSED
        case _:
            return Trouble.REJECTED
