"""What a person does outside of this terminal: make the Slack app, and tell Thumbtack where to bring leads."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from rich.padding import Padding
from rich.text import Text

from bot import manifest
from bot.setup.draft import Draft
from bot.setup.person import Person
from bot.setup.taking import shown

SLACKS_PAGE = "https://api.slack.com/apps?new_app=1"
"""Where an app is made; with a manifest in it the page is filled in (docs.slack.dev/app-manifests)."""

THUMBTACKS_SCREEN = "https://www.thumbtack.com/pro/webhooks/list"

EVENTS = "Lead details, Messages, Reviews: all three"

PRO_API = {
    "new leads": "POST {url}/v1/lead",
    "messages": "POST {url}/v1/message",
    "price updates": "PUT {url}/v1/lead/update",
    "reviews": "POST {url}/v1/review",
}


def manifest_of(draft: Draft, *, socket: bool) -> str:
    """The manifest of this deployment's Slack app. Raises NoManifest."""
    address = draft.get("PUBLIC_URL")
    return manifest.by_socket() if socket or address is None else manifest.by_http(address)


def link_with(written: str) -> str:
    """Slack's page with this manifest filled in."""
    lines = [line for line in written.splitlines() if not line.lstrip().startswith("#")]
    return f"{SLACKS_PAGE}&manifest_yaml={quote(chr(10).join(lines), safe='')}"


def how_to_make_the_app(person: Person, written: str) -> None:
    """The steps, with a link that brings the manifest along where the terminal shows links."""
    person.title("Make the app in Slack")
    person.item("1", f"Open {SLACKS_PAGE}, choose From a manifest, your workspace, and YAML.")
    if person.console.is_terminal:
        link = Text("this page with the manifest in it", f"underline link {link_with(written)}")
        person.item("", Text.assemble("Where your terminal opens links: ", link, "."))
    told = (
        "Paste the manifest, press Create, then Install App. Where an admin must approve it, send docs/slack-admin.md."
    )
    person.item("2", told)


def write(path: Path, written: str) -> None:
    """Put the manifest into a file; raises OSError."""
    path.write_text(written, encoding="utf-8")


def what_changes(person: Person, draft: Draft) -> None:
    """A line for each setting that will be written, secrets by their last letters alone."""
    changes = draft.changes()
    wide = max(map(len, changes)) + 2
    for name, value in changes.items():
        person.item(name, "emptied" if value is None else shown(name, value), wide=wide, style="bold")


def next_steps(person: Person, draft: Draft, *, secrets: bool) -> None:
    """What to do now, in order. `secrets`: the password may be shown."""
    url, number = draft.get("PUBLIC_URL"), 1
    person.heading("Next")
    person.item(f"{number}", "Start it: `make run`, or `corkboard serve`. Where it runs already, restart it.")
    if draft.get("SLACK_BOT_TOKEN"):
        number += 1
        person.item(f"{number}", "In Slack: type /invite @Corkboard in the channel, then /thumbtack help.")
        if url and not draft.get("SLACK_APP_TOKEN"):
            person.say("Slack's app page → Event Subscriptions says Verified; if not, press Retry there.", deep=5)
    if url:
        number += 1
        person.item(f"{number}", f"In Thumbtack (Apps → Manage webhooks, {THUMBTACKS_SCREEN}) make a webhook with")
        _pairs(person, webhook_screen(draft, secrets=secrets))
        person.say("Save it and press Test this webhook: a card marked TEST comes to Slack.", deep=5)
        number = _with_an_api(person, draft, url, number)
    person.item(f"{number + 1}", "Look whether all is well: `corkboard check`.")


def webhook_screen(draft: Draft, *, secrets: bool) -> Mapping[str, str]:
    """What is pasted into Thumbtack's webhook screen, field by field."""
    password = draft.get("THUMBTACK_WEBHOOK_PASSWORD") or ""
    return {
        "Address": f"{draft.get('PUBLIC_URL')}/v4/webhooks",
        "Events": EVENTS,
        "Authentication": "Basic",
        "User name": draft.get("THUMBTACK_WEBHOOK_USERNAME") or "",
        "Password": password if secrets else "what stands in .env as THUMBTACK_WEBHOOK_PASSWORD",
    }


def _with_an_api(person: Person, draft: Draft, url: str, number: int) -> int:
    """What Thumbtack's partnership team wants to know, of whom it gave access."""
    legacy, v4 = draft.get("THUMBTACK_LEGACY_CLIENT_ID"), draft.get("THUMBTACK_CLIENT_ID")
    if legacy or draft.get("THUMBTACK_LEGACY_USERNAME"):
        number += 1
        person.item(f"{number}", "Tell Thumbtack's partnership team, with that user name and password:")
        _pairs(person, {what: address.format(url=url) for what, address in PRO_API.items()})
    if legacy or v4:
        number += 1
        person.item(f"{number}", "Tell them the redirect URI, exactly so; then type /thumbtack connect in Slack:")
        _pairs(person, {"Redirect URI": f"{url}/thumbtack/callback"})
    return number


def _pairs(person: Person, pairs: Mapping[str, str]) -> None:
    for what, value in pairs.items():
        person.console.print(
            Padding(Text.assemble((f"{what:<16}", "dim"), (value, "bold")), (0, 0, 0, 5), expand=False), soft_wrap=True
        )
