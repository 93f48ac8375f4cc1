"""The audit trail in words: who changed what and when, and what it was before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import features
from bot.blocks.kit import Element, moment, person, words
from bot.blocks.mrkdwn import shorten, visible
from storage.models import Audit, Generation

API_NAMES = {Generation.LEGACY: "Pro API", Generation.V4: "v4 API"}
MOST = 10
"""How many people or things are listed; the rest is counted."""

_APIS = {str(generation): name for generation, name in API_NAMES.items()}
_FIELDS, _IN_LIST, _LONGEST = 4, 3, 60
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,}")
_SLACK_ID = re.compile(r"[UWS][A-Z0-9]{2,}")
_UNLABELLED = frozenset({"enabled", "managers", "api", "scopes"})
_OURS = frozenset({"connection"})  # ids that mean nothing to people


@dataclass(frozen=True, kw_only=True)
class Action:
    """How an entry of the audit trail reads: who, `words`, and, where `of_business`, the business's name."""

    words: str
    of_business: bool = True


ACTIONS: Mapping[str, Action] = {
    "connected": Action(words="connected"),
    "disconnected": Action(words="disconnected"),
    "targeting_set": Action(words="set new leads of"),
    "phone_added": Action(words="added a phone number to"),
    "phone_renamed": Action(words="renamed a phone number of"),
    "phone_removed": Action(words="removed a phone number of"),
    "phones_imported": Action(words="imported phone numbers for"),
    "webhook_set": Action(words="set the webhook of"),
    "erasure_asked": Action(words="asked to erase"),
    "erasure_planned": Action(words="asked to erase"),
    "erasure_cancelled": Action(words="called off the erasure of"),
    "erased": Action(words="erased"),
    "purged": Action(words="erased at once"),
    "business_set": Action(words="changed how leads are worked for"),
    "channel_set": Action(words="changed what goes out", of_business=False),
    "saved_reply_added": Action(words="added a saved reply", of_business=False),
    "saved_reply_changed": Action(words="changed a saved reply", of_business=False),
    "saved_reply_deleted": Action(words="deleted a saved reply", of_business=False),
    "first_reply_set": Action(words="set the first reply of"),
    "lead_opened": Action(words="opened a private lead of"),
    "review_opened": Action(words="opened a private review of"),
    "lead_found": Action(words="found by its text a private lead of"),
    "managers_set": Action(words="changed who may change things", of_business=False),
    "routes_set": Action(words="put in all rules about where leads go", of_business=False),
    "route_set": Action(words="set a rule about where leads go", of_business=False),
    "route_removed": Action(words="removed a rule about where leads go", of_business=False),
    "route_moved": Action(words="moved a rule about where leads go", of_business=False),
    "leads_channel_set": Action(words="chose the channel for leads of"),
    "keeper_set": Action(words="became the keeper", of_business=False),
    "keys_rotated": Action(words="rotated the encryption keys", of_business=False),
}
"""What each entry of the audit trail says; one that is not here is shown by its own name."""


def change(entry: Audit, names: Mapping[int, str]) -> list[Element]:
    """Who changed what and when, and what it was before."""
    action = ACTIONS.get(entry.action)
    told = [
        moment(entry.at),
        words(": "),
        who(entry.actor or "Corkboard"),
        words(f" {action.words if action else short(entry.action)}"),
    ]
    if entry.business_id is not None and (action is None or action.of_business):
        told += [words(" "), words(short(names.get(entry.business_id) or "a business that is no longer here"))]
    fields = _differences(*_readable(entry))
    if fields:
        told.append(words(": "))
    for number, field in enumerate(fields[:_FIELDS]):
        told += [*([words(", ")] if number else []), *field]
    if len(fields) > _FIELDS:
        told.append(words(f" and {len(fields) - _FIELDS} more"))
    return [*told, words(".")]


def _readable(entry: Audit) -> tuple[dict[str, Any], dict[str, Any]]:
    """What it was before and after, with features in place of the scopes of a connection, whose API comes first."""
    before, after = dict(entry.before), dict(entry.after)
    if entry.subject not in _APIS:
        return before, after
    for side in (before, after):
        if isinstance(side.get("scopes"), list):
            side["scopes"] = features.works(entry.subject, side["scopes"])
    return before, {"api": entry.subject, **after}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[list[Element]]:
    """Each field that changed, from what to what; one that stands on one side alone is shown as it is there."""
    found = []
    for field in dict.fromkeys([*before, *after]):
        old, new = before.get(field), after.get(field)
        if field in _OURS or (old == new and (field in before) == (field in after)):
            continue
        label = [] if field in _UNLABELLED else [words(f"{field.replace('_', ' ')} ")]
        if field not in before or field not in after:
            found.append([*label, *_field(field, new if field in after else old)])
        else:
            found.append([*label, *_field(field, old), words(" → "), *_field(field, new)])
    return found


def _field(field: str, found: Any) -> list[Element]:
    if field == "enabled" and (found is None or isinstance(found, bool)):
        return [words("not known" if found is None else "on" if found else "paused")]
    if field == "channel" and isinstance(found, str) and _CHANNEL_ID.fullmatch(found):
        return [{"type": "channel", "channel_id": found}]
    if field in ("managers", "on_duty") and isinstance(found, list) and found:
        return people([str(one) for one in found], most=_IN_LIST)
    if field == "mention" and isinstance(found, str) and found:
        return people(found.split(), most=_IN_LIST)
    return _value(found)


def _value(found: Any) -> list[Element]:
    match found:
        case str() if instant := _instant(found):
            return [moment(instant)]
        case None | "" | [] | {}:
            told = "none"
        case bool():
            told = "yes" if found else "no"
        case list():
            told = short(", ".join(_APIS.get(str(one), str(one)) for one in found[:MOST])) + and_more(len(found))
        case _:
            told = short(_APIS.get(str(found), str(found)))
    return [words(told)]


def _instant(text: str) -> datetime | None:
    """The instant that an ISO text with its zone means; None for any other text, a date alone or a number."""
    if "T" not in text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def who(slack_id: str) -> Element:
    """A person or group as a mention; what is no id of Slack's is shown as it is."""
    return person(slack_id) if _SLACK_ID.fullmatch(slack_id) else words(short(slack_id))


def people(found: Sequence[str], *, most: int = MOST) -> list[Element]:
    """People and groups as mentions; the rest is counted."""
    told: list[Element] = []
    for one in found[:most]:
        told += [*([words(", ")] if told else []), who(one)]
    return [*told, words(and_more(len(found), most=most))] if len(found) > most else told


def and_more(count: int, *, most: int = MOST) -> str:
    """How many are not listed."""
    return f" and {count - most} more" if count > most else ""


def short(text: str) -> str:
    """Text from outside, cut and visible."""
    return shorten(visible(text) or "?", _LONGEST)
