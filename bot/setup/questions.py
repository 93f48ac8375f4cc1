"""Every question that setup asks: where its answer is found, why it is asked, and what happens without one."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Question:
    """One setting. `choices`: the values with what follows from each. `made`: makes one where nothing is typed."""

    name: str
    title: str
    why: str
    where: str = ""
    empty: str = ""
    is_secret: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    made: Callable[[], str] | None = None


def a_password() -> str:
    """Nobody guesses it, and it can be pasted anywhere."""
    return secrets.token_urlsafe(32)


def _by_name(*questions: Question) -> Mapping[str, Question]:
    return MappingProxyType({question.name: question for question in questions})


PARTNERS = "From Thumbtack's partnership team, with your access to the API."

QUESTIONS = _by_name(
    Question(
        name="PUBLIC_URL",
        title="Address",
        why="Where the world reaches this server. Thumbtack brings leads there, and it calls https alone.",
        where="The host name that your DNS leads to this machine, like https://leads.example.com. "
        "A web server in front, like Caddy, makes the certificate by itself.",
        empty="no lead can come from Thumbtack, and no business can be connected",
    ),
    Question(
        name="SLACK_BOT_TOKEN",
        title="Bot token",
        why="With it Corkboard posts leads.",
        where="Slack's app page → OAuth & Permissions → Bot User OAuth Token, xoxb-…",
        empty="nothing is posted, and what comes in waits",
        is_secret=True,
    ),
    Question(
        name="SLACK_SIGNING_SECRET",
        title="Signing secret",
        why="It proves that what comes by your address is from Slack.",
        where="Slack's app page → Basic Information → App Credentials → Signing Secret",
        empty="no reply, button or command is heard",
        is_secret=True,
    ),
    Question(
        name="SLACK_APP_TOKEN",
        title="App-level token",
        why="With it Corkboard opens the connection to Slack itself (Socket Mode).",
        where="Slack's app page → Basic Information → App-Level Tokens → Generate, with the scope connections:write. xapp-…",
        empty="no reply, button or command is heard",
        is_secret=True,
    ),
    Question(
        name="SLACK_LEADS_CHANNEL",
        title="Channel for leads",
        why="Each lead becomes one post there. Who is in the channel reads leads, and can answer them.",
        where="Type /invite @Corkboard in the channel; then its name here, like #leads, or its id "
        "(channel name → About, at the bottom).",
        empty="leads are kept, and posted once it is set",
    ),
    Question(
        name="SLACK_RING",
        title="Who is mentioned on every new lead",
        why="A bot's post rings nobody's phone by itself; a mention does.",
        where="Names like @ana, groups like @crew, or ids (profile → three dots → Copy member ID), comma separated.",
        empty="a new lead rings nobody's phone by itself",
    ),
    Question(
        name="SLACK_KEEPERS",
        title="Keepers",
        why="They hear of trouble in a direct message, and may change everything in /thumbtack settings.",
        where="People, the same way. Yourself, for a start.",
        empty="the first workspace admin who presses Set me as keeper in the leads' channel",
    ),
    Question(
        name="REPLY_MODE",
        title="What goes to the customer",
        why="What becomes of a message that somebody writes in a lead's thread. Each channel can differ.",
        choices={
            "replies": "it goes to the customer, some seconds later (REPLY_HOLD_SECONDS); what begins with note: stays inside",
            "quiet": "it stays inside; only the Reply button, and what begins with send:, goes to the customer",
        },
    ),
    Question(
        name="PRIVACY",
        title="What everybody in the channel reads",
        why="Names, addresses and phone numbers of customers stand in Slack, or not. Each business can differ.",
        choices={
            "full": "cards and threads show what the customer wrote",
            "private": "they say New lead and New message; Open shows the rest to who presses it, and is on record",
        },
    ),
    Question(
        name="THUMBTACK_WEBHOOK_USERNAME",
        title="User name for Thumbtack's webhooks",
        why="Thumbtack shows it, with the password, when it brings leads. You choose both.",
        empty="it is thumbtack",
        made=lambda: "thumbtack",
    ),
    Question(
        name="THUMBTACK_WEBHOOK_PASSWORD",
        title="Password for Thumbtack's webhooks",
        why="Who knows it can post leads.",
        empty="one is made",
        is_secret=True,
        made=a_password,
    ),
    Question(
        name="THUMBTACK_LEGACY_CLIENT_ID",
        title="Client id for the Pro API",
        why="For replies, and for pausing leads, by the Pro API (v1 to v3).",
        where=PARTNERS,
        empty="the Pro API is not used",
    ),
    Question(
        name="THUMBTACK_LEGACY_CLIENT_SECRET",
        title="Client secret for the Pro API",
        why="It belongs to the client id.",
        where=PARTNERS,
        empty="the Pro API is not used",
        is_secret=True,
    ),
    Question(
        name="THUMBTACK_CLIENT_ID",
        title="Client id for v4",
        why="For replies, lead lists and phone numbers, by the newer API. The Pro API's id does not work there.",
        where=PARTNERS,
        empty="v4 is not used, beyond its webhooks",
    ),
    Question(
        name="THUMBTACK_CLIENT_SECRET",
        title="Client secret for v4",
        why="It belongs to the client id.",
        where=PARTNERS,
        empty="v4 is not used, beyond its webhooks",
        is_secret=True,
    ),
    Question(
        name="THUMBTACK_LEGACY_USERNAME",
        title="User name for sending messages",
        why="For replies of a business that is not connected, by the Pro API's message endpoint.",
        where=PARTNERS,
        empty="such replies stay inside",
    ),
    Question(
        name="THUMBTACK_LEGACY_PASSWORD",
        title="Password for sending messages",
        why="It belongs to the user name.",
        where=PARTNERS,
        empty="such replies stay inside",
        is_secret=True,
    ),
    Question(
        name="THUMBTACK_ENVIRONMENT",
        title="Which Thumbtack these are for",
        why="Replies go out only to leads of this one.",
        choices={
            "production": "real leads and customers",
            "staging": "Thumbtack's test environment",
        },
    ),
    Question(
        name="DATABASE_URL",
        title="Database",
        why="Everything is kept in it, on this machine or on your own server.",
        where="A SQLite file needs nothing (three slashes: in this folder; four: an absolute path). "
        "For several processes: postgresql://user:password@host/name",
        empty="the file corkboard.db in this folder",
    ),
)
"""In the order of asking."""

ANSWER = "answer"
"""What a finding is about where no other name says it better."""

HAS_PASSWORD = frozenset({"DATABASE_URL", "HEARTBEAT_URL"})
"""Addresses that may hold one."""

SECRET_OF = MappingProxyType(
    {
        "THUMBTACK_LEGACY_CLIENT_ID": "THUMBTACK_LEGACY_CLIENT_SECRET",
        "THUMBTACK_CLIENT_ID": "THUMBTACK_CLIENT_SECRET",
        "THUMBTACK_LEGACY_USERNAME": "THUMBTACK_LEGACY_PASSWORD",
    }
)
"""Neither is of any use without the other."""
