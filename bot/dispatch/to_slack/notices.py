"""What people are told unasked: each notice with who gets it and how it is made, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bot.blocks import notices, settings_channel
from bot.blocks.posts import Post
from bot.dispatch.plans import At
from bot.dispatch.to_slack import absences, connecting, erasing_news, surroundings, targeting_notices
from storage import leads


class Audience(Enum):
    """Who is told."""

    KEEPERS = "keepers"  # or, where there is none, the leads' channel, with an offer to become one
    KEEPERS_ALONE = "keepers_alone"  # it is about the channel itself, which cannot be told
    LEAD = "lead"  # who works the lead that the payload names, in its thread; where that cannot be told, the keepers
    CHANNEL = "channel"  # everybody who reads the leads' channel
    THERE = "there"  # everybody who reads the channel which the payload names as `channel`
    PERSON = "person"  # the one whom the payload names as `user`


class Made(Protocol):
    """Makes a notice from the entry's payload and the rows as they stand; None where there is nothing to tell any more."""

    async def __call__(self, at: At, *, ask_keeper: bool) -> Post | None:
        """`ask_keeper`: offer the reader to become a keeper."""
        ...


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One kind of notice."""

    audience: Audience
    post: Made


async def _not_understood(at: At, *, ask_keeper: bool) -> Post | None:
    payload = at.entry.payload
    known = " · ".join(str(part) for part in (payload["route"], payload.get("event"), payload.get("lead")) if part)
    return notices.not_understood(payload["inbox_id"], understood=known, ask_keeper=ask_keeper)


async def _held(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    return notices.held(at.entry.payload["channel"], reason=at.entry.payload["reason"])


async def _no_place(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- likewise
    lead = await leads.get(at.tx, at.entry.payload["lead"])
    return None if lead is None or lead.channel is not None else notices.no_place()


async def _dead(at: At, *, ask_keeper: bool) -> Post | None:
    payload = at.entry.payload
    return notices.dead_delivery(
        payload["outbox_id"], kind=payload["kind"], reason=payload["reason"], ask_keeper=ask_keeper
    )


async def _mode_set(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- likewise
    return settings_channel.mode_changed(at.entry.payload["user"], quiet=at.entry.payload["quiet"])


NOTICES: Mapping[str, Notice] = {
    "not_understood": Notice(audience=Audience.KEEPERS, post=_not_understood),
    "held": Notice(audience=Audience.KEEPERS_ALONE, post=_held),
    "no_place": Notice(audience=Audience.KEEPERS_ALONE, post=_no_place),
    "dead": Notice(audience=Audience.LEAD, post=_dead),
    "was_away": Notice(audience=Audience.THERE, post=absences.was_away),
    "silent": Notice(audience=Audience.KEEPERS, post=absences.silent),
    "mode_set": Notice(audience=Audience.THERE, post=_mode_set),
    "connected": Notice(audience=Audience.CHANNEL, post=connecting.connected),
    "connect_failed": Notice(audience=Audience.PERSON, post=connecting.connect_failed),
    "which_business": Notice(audience=Audience.PERSON, post=connecting.which_business),
    "reconnect": Notice(audience=Audience.KEEPERS, post=connecting.reconnect),
    "erasure_planned": Notice(audience=Audience.CHANNEL, post=erasing_news.planned),
    "erasure_planned_keepers": Notice(audience=Audience.KEEPERS_ALONE, post=erasing_news.planned),
    "erasure_cancelled": Notice(audience=Audience.CHANNEL, post=erasing_news.cancelled),
    "renewal_failing": Notice(audience=Audience.KEEPERS, post=connecting.renewal_failing),
    "targeting_set": Notice(audience=Audience.CHANNEL, post=targeting_notices.changed),
    "targeting_resumed": Notice(audience=Audience.CHANNEL, post=targeting_notices.over),
    "pause_recalled": Notice(audience=Audience.CHANNEL, post=targeting_notices.recalled),
    "resume_failing": Notice(audience=Audience.KEEPERS, post=targeting_notices.resume_failing),
    "channel_closed": Notice(audience=Audience.KEEPERS, post=surroundings.channel_closed),
    "cut_off": Notice(audience=Audience.KEEPERS, post=surroundings.cut_off),
    "not_heard": Notice(audience=Audience.KEEPERS, post=surroundings.not_heard),
    "person_left": Notice(audience=Audience.KEEPERS, post=surroundings.person_left),
    "resume_mended": Notice(audience=Audience.KEEPERS, post=targeting_notices.resume_mended),
}
