"""How the Slack app is made: its manifest, and a link that brings the manifest along."""

import secrets
from pathlib import Path
from urllib.parse import quote

from rich.text import Text

from bot import manifest
from bot.setup.draft import Draft
from bot.setup.person import Person

SLACKS_PAGE = "https://api.slack.com/apps?new_app=1"
"""Where an app is made; with a manifest in it the page is filled in (docs.slack.dev/app-manifests)."""


def manifest_of(draft: Draft, *, socket: bool) -> str:
    """The manifest of this deployment's Slack app. Raises NoManifest."""
    address = draft.get("PUBLIC_URL")
    return manifest.by_socket() if socket or address is None else manifest.by_http(address)


def link_with(written: str) -> str:
    """Slack's page with this manifest filled in."""
    lines = [line for line in written.splitlines() if not line.lstrip().startswith("#")]
    return f"{SLACKS_PAGE}&manifest_yaml={quote(chr(10).join(lines), safe='')}"


def hand_over(person: Person, written: str, *, file: Path | None, command: str) -> str:
    """Write the manifest into a file, or show it to who wants that; where it is then. `command`: prints it too."""
    person.title("The app's manifest")
    person.say("A Slack app is made from a manifest: what it may do, and where Slack reaches it. Yours is ready.")
    if file is not None:
        try:
            write(file, written)
        except OSError as error:
            person.wrong(f"{file} cannot be written ({(error.strerror or type(error).__name__).lower()}).")
        else:
            person.say(f"It is in {file}.", "green")
            return f"what is in {file}"
    if person.agrees("Show it here, to copy it?", default=True):
        person.raw(f"\n{written}")
        return "the manifest above, from _metadata to its end"
    return f"what `{command}` prints in another terminal"


def how_to_make_it(person: Person, written: str, *, where: str) -> None:
    """The steps, with a link that brings the manifest along where the terminal opens links."""
    person.title("Make the app in Slack")
    person.item("1", f"Open {SLACKS_PAGE}, choose From a manifest, your workspace, and YAML.")
    person.item("2", f"Paste {where}. Press Create, then Install App.")
    if person.console.is_terminal:
        link = Text("this page has the manifest in it already", f"underline link {link_with(written)}")
        person.item("", Text.assemble("Where your terminal opens links, ", link, "."))
    told = "Where an admin must approve it, send them docs/slack-admin.md. Leave the next two empty, and run this again then."
    person.item("3", told)


def refusal(path: Path, *others: Path | None) -> str | None:
    """Why the manifest cannot go there; None where it can. `others`: what is kept, whatever is in it."""
    place = path.resolve()
    if place in [other.resolve() for other in others if other]:
        return f"The manifest cannot be written into {path}, where something else belongs: name another file."
    try:
        is_another = place.is_file() and not _is_manifest(place)
    except OSError:  # told when it is written
        return None
    return f"{path} is there and holds no manifest: name another file, or move that one away." if is_another else None


def _is_manifest(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return not text.strip() or "_metadata:" in text


def write(path: Path, written: str) -> None:
    """Put the manifest into a file, whole or not at all; raises OSError."""
    place = path.resolve()
    if place.exists() and not place.is_file():  # as /dev/stdout
        place.write_text(written, encoding="utf-8")
        return
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    try:
        part.write_text(written, encoding="utf-8")
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
