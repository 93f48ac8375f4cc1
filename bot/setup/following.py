"""What a person does once .env is written: start the program, and tell Slack and Thumbtack where it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.setup.draft import Draft
from bot.setup.person import Person

SCREEN = "https://www.thumbtack.com/pro/webhooks/list"
"""Where any pro makes a webhook, without approval."""

EVENTS = "Lead details, Messages, Reviews: all three"

PRO_API = {
    "new leads": "POST {url}/v1/lead",
    "messages": "POST {url}/v1/message",
    "price updates": "PUT {url}/v1/lead/update",
    "reviews": "POST {url}/v1/review",
}

PASTED = frozenset({"PUBLIC_URL", "THUMBTACK_WEBHOOK_USERNAME", "THUMBTACK_WEBHOOK_PASSWORD"})
"""What stands in Thumbtack's screen too."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`whole`: everything was set up, not one thing changed. `secrets`: the password may be shown to who sits there."""

    draft: Draft
    whole: bool
    secrets: bool

    @property
    def url(self) -> str | None:
        """Where the world reaches us."""
        return self.draft.get("PUBLIC_URL")

    def concerns(self, names: frozenset[str]) -> bool:
        """Whether any of these is new, or everything."""
        return self.whole or bool(names & self.draft.changes().keys())


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do, with what is to be copied for it."""

    text: str
    pairs: Mapping[str, str] = field(default_factory=dict, repr=False)  # a password may be in them
    then: str = ""


def show(person: Person, situation: Situation) -> None:
    """All of it, numbered, in the order of doing it."""
    person.heading("Next")
    for number, step in enumerate(steps(situation), start=1):
        person.item(str(number), step.text)
        for what, value in step.pairs.items():
            person.pair(what, value)
        if step.then:
            person.say(step.then, deep=5)


def steps(situation: Situation) -> list[Step]:
    """What is to be done, where there is something to it."""
    return [step for step_for in STEPS if (step := step_for(situation)) is not None]


def _start(situation: Situation) -> Step:
    if not situation.whole:
        return Step(text="Restart `corkboard serve`: it reads .env when it starts.")
    return Step(text=START)


START = (
    "Start it: `make run` in a checkout, `docker compose up --detach` with Compose, else `corkboard serve`. Where it runs "
    "already, restart it."
)


def _moved(situation: Situation) -> Step | None:
    """The address was another one before."""
    before = situation.draft.before("PUBLIC_URL")
    if before is None or "PUBLIC_URL" not in situation.draft.changes():
        return None
    over_https = not situation.draft.get("SLACK_APP_TOKEN")
    slack = "In Slack's app page → App Manifest paste what `corkboard manifest` prints. " if over_https else ""
    told = "the address changed. In Slack type /thumbtack status, and press Repair for each webhook."
    return Step(text=f"{slack}Tell Thumbtack too: {told}")


def _slack(situation: Situation) -> Step | None:
    if not situation.whole or not situation.draft.get("SLACK_BOT_TOKEN"):
        return None
    then = "Slack's app page → Event Subscriptions says Verified; if not, press Retry there."
    over_https = situation.url is not None and not situation.draft.get("SLACK_APP_TOKEN")
    text = "In Slack: type /invite @Corkboard in the channel, then /thumbtack help."
    return Step(text=text, then=then if over_https else "")


def _webhook(situation: Situation) -> Step | None:
    """What is pasted into Thumbtack's webhook screen, field by field."""
    draft = situation.draft
    if situation.url is None or not situation.concerns(PASTED):
        return None
    password = draft.get("THUMBTACK_WEBHOOK_PASSWORD") or ""
    return Step(
        text=f"In Thumbtack (Apps → Manage webhooks, {SCREEN}) make a webhook with",
        pairs={
            "Address": f"{situation.url}/v4/webhooks",
            "Events": EVENTS,
            "Authentication": "Basic",
            "User name": draft.get("THUMBTACK_WEBHOOK_USERNAME") or "",
            "Password": password if situation.secrets else "what stands in .env as THUMBTACK_WEBHOOK_PASSWORD",
        },
        then="Save it and press Test this webhook: a card marked TEST comes to Slack.",
    )


def _pro_api(situation: Situation) -> Step | None:
    draft, has = situation.draft, frozenset({"THUMBTACK_LEGACY_CLIENT_ID", "THUMBTACK_LEGACY_USERNAME"})
    if situation.url is None or not any(map(draft.get, has)) or not situation.concerns(has | PASTED):
        return None
    told = {what: address.format(url=situation.url) for what, address in PRO_API.items()}
    return Step(text="Tell Thumbtack's partnership team, with that user name and password:", pairs=told)


def _redirect(situation: Situation) -> Step | None:
    clients = frozenset({"THUMBTACK_LEGACY_CLIENT_ID", "THUMBTACK_CLIENT_ID"})
    if situation.url is None or not any(map(situation.draft.get, clients)):
        return None
    if not situation.concerns(clients | {"PUBLIC_URL"}):
        return None
    text = "Tell them the redirect URI, exactly so; then type /thumbtack connect in Slack:"
    return Step(text=text, pairs={"Redirect URI": f"{situation.url}/thumbtack/callback"})


def _check(situation: Situation) -> Step | None:
    return Step(text="Look whether all is well: `corkboard check`.") if situation.whole else None


STEPS: tuple[Callable[[Situation], Step | None], ...] = (
    _start, _moved, _slack, _webhook, _pro_api, _redirect, _check,
)  # fmt: skip
