"""The manifest that the Slack app is made from: manifest.yml with this deployment's address in it, or for Socket Mode."""

import re
import sysconfig
from pathlib import Path

NAME = "manifest.yml"

PLACES = (Path(__file__).parents[1] / NAME, Path(sysconfig.get_path("data")) / "share" / "corkboard" / NAME)
"""Where it is in a checkout, and where an installed package puts it."""

EXAMPLE = "https://corkboard.example.com"
"""The address that stands in manifest.yml."""

AN_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~/-]*)?")

HEAD = re.compile(r"\A(?:#.*\n)+")
"""What manifest.yml says of itself, which is not true any more of what is made of it."""

ADDRESS_LINE = re.compile(rf"^ *(?:request_)?url: {re.escape(EXAMPLE)}.*\n", re.MULTILINE)

WHY = "docs/slack-admin.md gives the reason for every line."


class NoManifest(Exception):  # noqa: N818 -- it reads as the sentence it is
    """There is none to be made; the message says why."""


def by_http(address: str) -> str:
    """For an app that Slack reaches at this address (https, with no slash at its end or with one). Raises NoManifest."""
    if not AN_ADDRESS.fullmatch(address):
        raise NoManifest(f"{address} is no address that Slack can reach: it must be like {EXAMPLE}")
    address = address.rstrip("/")
    head = f"# The Slack app of one Corkboard, which Slack reaches at {address}. {WHY}\n"
    return HEAD.sub(head, _written()).replace(EXAMPLE, address)


def by_socket() -> str:
    """For an app that is heard over Socket Mode, and needs no address. Raises NoManifest."""
    head = f"# The Slack app of one Corkboard that is heard over Socket Mode. {WHY}\n"
    without = ADDRESS_LINE.sub("", HEAD.sub(head, _written()))
    return without.replace("socket_mode_enabled: false", "socket_mode_enabled: true")


def _written() -> str:
    for path in PLACES:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise NoManifest(f"{NAME} is not there: install Corkboard again.")
