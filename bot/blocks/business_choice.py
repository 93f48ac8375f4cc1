"""How one business's leads are worked, as the window of that part of the settings says it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot import hours_typed, times
from bot.blocks.mrkdwn import shorten
from bot.blocks.reading import filled, row_id
from bot.hours_typed import Unreadable, Week
from bot.settings import LONGEST_LADDER, Privacy
from storage.models import Business

BUSINESS = "settings_business_chosen"
"""The field that says which business it is about; also its block_id."""

CHANNEL, PRIVACY, REMIND, PEOPLE, GROUPS, HOURS, ZONE = (
    "business_channel", "business_privacy", "business_remind", "business_people", "business_groups", "business_hours",
    "business_zone",
)  # fmt: skip
"""The other fields. Their block_ids end with the business's id, so that another one's answers never stand in them."""

BY_ZIP, EVERYWHERE = "zip", "everywhere"
"""What is chosen where nothing is: the time zone of each lead's zip code, or what holds for all businesses."""

MOST_ON_DUTY = 50
"""People and groups that one reminder mentions (`kit.bell`)."""

_LONGEST_STEP = 10_080
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,20}")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
_GROUP = re.compile(r"S[A-Z0-9]{2,20}")
_NEVER = frozenset({"0", "never", "off"})

WRONG_STEPS = f"Up to {LONGEST_LADDER} numbers of minutes that grow, like 5, 15, 60; or 0 for never."
TOO_MANY = f"At most {MOST_ON_DUTY} people and groups in all; more of them belong into a user group."
FOR_ALL = "Leads of all businesses go to this channel. Leave the field empty: this one's go there too."
NO_ZONE = "Choose in which time zone these hours are: that of the business."
BY_RULE = "Rules send leads of other businesses to this channel. Change them first, or choose another channel."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a business's leads are worked, as the window says it; None is what holds everywhere, for `hours` always."""

    channel: str | None = None
    privacy: str | None = None
    remind_after: list[int] | None = None
    hours: Week | None = None
    time_zone: str | None = None
    on_duty: list[str] | None = None

    @classmethod
    def of(cls, business: Business) -> "Choice":
        """What was chosen for it."""
        return cls(
            channel=business.channel,
            privacy=business.privacy,
            remind_after=business.remind_after,
            hours=business.hours,
            time_zone=business.time_zone,
            on_duty=business.on_duty or None,
        )

    @property
    def people(self) -> list[str]:
        """Who of those on duty are people."""
        return [one for one in self.on_duty or () if _matching(one, _PERSON)]

    @property
    def groups(self) -> list[str]:
        """Which of those on duty are user groups."""
        return [one for one in self.on_duty or () if _matching(one, _GROUP)]

    def changes(self, since: "Choice") -> dict[str, Any]:
        """The columns of the business that are other than they were."""
        before = asdict(since)
        return {name: value for name, value in asdict(self).items() if value != before[name]}


@dataclass(frozen=True, kw_only=True)
class Everywhere:
    """What holds where a business chose nothing."""

    privacy: Privacy
    remind_after: tuple[int, ...]
    time_zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A window that was filled in. `business_id`: which one is chosen now; `shown_of`: whose answers the window showed.

    `wrong`: what is to be corrected, by block_id; then `chosen` is not complete.
    """

    business_id: int
    shown_of: int
    shown: Choice
    chosen: Choice
    wrong: Mapping[str, str]


def picked(view: Mapping[str, Any]) -> int:
    """Which business a window says, whatever is in it; where there is but one, that; 0 for none."""
    return row_id(filled(view, BUSINESS)) or row_id(_shown(view).get("business"))


def submitted(view: Mapping[str, Any]) -> Submitted:
    """What a submitted window says, whatever is in it."""
    metadata = _shown(view)
    shown_of = row_id(metadata.get("business"))
    shown = _choice(metadata)
    said = {name: filled(view, f"{name}:{shown_of}", name) for name in (PRIVACY, REMIND, HOURS, ZONE)}
    steps, week = _minutes(said[REMIND]), hours_typed.read(said[HOURS])
    duty, channel = _on_duty(view, shown_of, shown), _found(view, f"{CHANNEL}:{shown_of}", CHANNEL)
    wrong = {
        f"{REMIND}:{shown_of}": WRONG_STEPS if isinstance(steps, str) else None,
        f"{HOURS}:{shown_of}": _cannot_read(week) if isinstance(week, Unreadable) else None,
        f"{ZONE}:{shown_of}": NO_ZONE if isinstance(week, dict) and said[ZONE] == BY_ZIP else None,
        f"{PEOPLE}:{shown_of}": TOO_MANY if len(duty) > MOST_ON_DUTY else None,
    }
    chosen = Choice(
        channel=_matching(channel.get("selected_conversation"), _CHANNEL_ID),
        privacy=said[PRIVACY] if said[PRIVACY] in tuple(Privacy) else None,
        remind_after=None if isinstance(steps, str) else steps,
        hours=None if isinstance(week, Unreadable) else week,
        time_zone=said[ZONE] if times.zone_named(said[ZONE]) else None,
        on_duty=duty or None,
    )
    return Submitted(
        business_id=picked(view),
        shown_of=shown_of,
        shown=shown,
        chosen=chosen,
        wrong={block_id: sentence for block_id, sentence in wrong.items() if sentence},
    )


def wrong_channel(submitted: Submitted, sentence: str) -> Submitted:
    """The same, with the channel to be corrected."""
    return replace(submitted, wrong={**submitted.wrong, f"{CHANNEL}:{submitted.shown_of}": sentence})


def _choice(metadata: Mapping[str, Any]) -> Choice:
    """What the window showed, as it carried it."""
    found = Choice(**{name: metadata.get(name) for name in asdict(Choice())})
    return found if isinstance(found.on_duty, list | None) else replace(found, on_duty=None)


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(str(view.get("private_metadata") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _found(view: Mapping[str, Any], block_id: str, action_id: str) -> Mapping[str, Any]:
    found: Any = view
    for name in ("state", "values", block_id, action_id):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _matching(found: object, pattern: re.Pattern[str]) -> str | None:
    return found if isinstance(found, str) and pattern.fullmatch(found) else None


def _on_duty(view: Mapping[str, Any], shown_of: int, shown: Choice) -> list[str]:
    """People, then groups; those that the window could not show stay."""
    people = _found(view, f"{PEOPLE}:{shown_of}", PEOPLE).get("selected_users") or ()
    groups = _found(view, f"{GROUPS}:{shown_of}", GROUPS)
    chosen = [option.get("value") for option in groups.get("selected_options") or ()]
    if not groups:
        chosen = list(shown.groups)
    found = [*(_matching(one, _PERSON) for one in people), *(_matching(one, _GROUP) for one in chosen)]
    return list(dict.fromkeys(one for one in found if one is not None))


def _minutes(text: str) -> list[int] | str | None:
    """The steps; the text itself where it is none, None where it is empty."""
    if not text.strip():
        return None
    if text.strip().casefold() in _NEVER:
        return []
    parts = [part for part in re.split(r"[\s,;]+|\band\b", text.casefold().replace("min", "")) if part]
    if not all(part.isascii() and part.isdecimal() and len(part) <= 5 for part in parts):
        return text
    steps = [int(part) for part in parts]
    grows = steps == sorted(set(steps)) and 1 <= len(steps) <= LONGEST_LADDER
    return steps if grows and steps[0] >= 1 and steps[-1] <= _LONGEST_STEP else text


def _cannot_read(line: Unreadable) -> str:
    example = " or ".join(hours_typed.EXAMPLE.split("\n"))
    return f"“{shorten(line.line, 40)}” cannot be read. Write it like {example}."
