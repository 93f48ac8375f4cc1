"""Rules about where leads go, read from what people write in a window or a file; every mistake with its remedy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.blocks.mrkdwn import visible
from storage.rules import Rule
from webhooks.thumbtack import money
from webhooks.thumbtack.payloads.text import storable

FIELDS = ("business", "category", "zip_prefix", "min_cost", "channel", "mention")
"""What a rule says, as the columns of a file name it."""

MOST_MENTIONED = 20
_LONGEST_CATEGORY = 150

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_PERSON = re.compile(r"[UWS][A-Z0-9]{2,20}")
_BUSINESS = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ZIP = re.compile(r"[0-9]{1,5}")

CHANNEL = "must be a channel's id like C0123456789 (in Slack: channel name, About, at the bottom)"
BUSINESS = "must be the id that Thumbtack gives the business: letters and digits"
CATEGORY = f"must be a category's name or id, of at most {_LONGEST_CATEGORY} characters"
ZIP = "must be the first digits of a zip code, 1 to 5 of them"
COST = "must be an amount in dollars, like 25 or 25.50"
MENTION = (
    f"must be at most {MOST_MENTIONED} ids of people or groups like U0123456789 or S0123456789, separated by blanks"
)


@dataclass(frozen=True, kw_only=True)
class Read:
    """A rule, or what is wrong with which field."""

    rule: Rule | None
    wrong: Mapping[str, str]


def read(written: Mapping[str, str]) -> Read:
    """The rule that somebody wrote; a field that is empty or left out says nothing."""
    said = {name: " ".join(storable(written.get(name) or "").split()) for name in FIELDS}
    ring = tuple(dict.fromkeys(said["mention"].replace(",", " ").split()))
    cents = money.cents(said["min_cost"]) if said["min_cost"] else None
    checks = {
        "channel": (_CHANNEL.fullmatch(said["channel"]) is not None, CHANNEL),
        "business": (not said["business"] or _BUSINESS.fullmatch(said["business"]) is not None, BUSINESS),
        "category": (not said["category"] or _is_category(said["category"]), CATEGORY),
        "zip_prefix": (not said["zip_prefix"] or _ZIP.fullmatch(said["zip_prefix"]) is not None, ZIP),
        "min_cost": (not said["min_cost"] or cents is not None, COST),
        "mention": (len(ring) <= MOST_MENTIONED and all(map(_PERSON.fullmatch, ring)), MENTION),
    }
    wrong = {name: remedy for name, (fine, remedy) in checks.items() if not fine}
    if wrong:
        return Read(rule=None, wrong=wrong)
    rule = Rule(
        channel=said["channel"],
        business=said["business"] or None,
        category=said["category"] or None,
        zip_prefix=said["zip_prefix"] or None,
        min_cents=cents,
        ring=ring,
    )
    return Read(rule=rule, wrong={})


def written(rule: Rule) -> dict[str, str]:
    """A rule as it can be read again."""
    cents = rule.min_cents
    return {
        "business": rule.business or "",
        "category": rule.category or "",
        "zip_prefix": rule.zip_prefix or "",
        "min_cost": "" if cents is None else f"{cents // 100}" + (f".{cents % 100:02}" if cents % 100 else ""),
        "channel": rule.channel,
        "mention": " ".join(rule.ring),
    }


def _is_category(text: str) -> bool:
    return len(text) <= _LONGEST_CATEGORY and visible(text) is not None
