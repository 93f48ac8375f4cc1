"""Whether a business gets new leads, as people want it: what they asked for is done, or they hear that it was not.

Setting it twice does no harm, so a lost answer means: again. What a person asked for is given up after a while, and
they decide anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import answers, times
from bot.blocks import targeting as blocks
from bot.blocks.posts import Post
from bot.blocks.targeting import Cannot, Subject
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack import targeting_resumes
from bot.dispatch.to_thumbtack.failing import ThumbtackFailure, detail_of
from bot.dispatch.to_thumbtack.targeting_calls import note, notice, subject_of, switch
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure, Sort
from bot.services import Services
from storage import businesses, connections, targeting
from storage.database import Transaction
from storage.models import Business, Generation, Targeting

recall_pause = targeting_resumes.recall_pause

PATIENCE = timedelta(minutes=10)
"""For how long what a person asked for is tried; then they decide again."""

TOLD_AT = 3
"""The attempt after whose failure the person hears that it takes longer."""


async def set_targeting(at: At) -> Prepared:
    """SET_TARGETING: what a person wants, {targeting_id, version, enabled, user, team_id, url (sealed), …}.

    `when`: until when, in their words; or `until`, an instant. Of an Undo: `undo`, and `since`, the `set_version` that it
    undoes. Without `version` it is a pause that is over (`targeting_resumes`).
    """
    payload = at.entry.payload
    row = await targeting.to_change(at.tx, payload["targeting_id"])
    business = None if row is None else await businesses.get(at.tx, row.business_id)
    if row is None or business is None:
        return None  # it was forgotten meanwhile
    if "version" not in payload:
        return await targeting_resumes.resume(at, row, business)
    return await _wanted(at, row, business)


async def _wanted(at: At, row: Targeting, business: Business) -> Plan | None:
    request = _Request(
        services=at.services,
        payload=at.entry.payload,
        subject=subject_of(row, business),
        attempt=at.attempt,
        asked_at=row.asked_at,
    )
    if not _still_wanted(row, request.payload):
        await request.replaced(at.tx, row, at.now)
        return None
    connection = await connections.of_business(at.tx, row.business_id, Generation.LEGACY)
    category_id = row.category_id or None

    async def perform() -> Answer:
        zone, until = await request.until()
        if isinstance(until, times.Refusal):
            return {"refused": until.value}
        if until is not None and until <= at.services.clock():
            raise ThumbtackFailure(Sort.REFUSED, Cannot.TOO_LATE)
        await switch(at.services, connection, business, category_id, enabled=request.enabled)
        return {"until": until.isoformat() if until else None, "zone": zone}

    return Plan(perform=perform, then=request.done, failed=request.failed)


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What a person asked for. `attempt` counts from 1; their words count from `asked_at`."""

    services: Services
    payload: Mapping[str, Any]
    subject: Subject
    attempt: int
    asked_at: datetime

    @property
    def enabled(self) -> bool:
        """Whether new leads are wanted."""
        return bool(self.payload["enabled"])

    async def until(self) -> tuple[str | None, datetime | times.Refusal | None]:
        """The person's time zone, where that matters, and when the pause ends."""
        when, until = self.payload.get("when"), self.payload.get("until")
        if when is None:
            return None, datetime.fromisoformat(until) if until else None
        try:
            name = (await self.services.slack.call("users.info", {"user": self.payload["user"]}))["user"].get("tz")
        except Failure as failure:
            if failure.sort is not Sort.REFUSED:
                raise ThumbtackFailure(Sort.LATER, Cannot.NO_ZONE) from failure
            name = None
        zone = times.zone_named(name)
        if zone is None and times.needs_zone(when):
            raise ThumbtackFailure(Sort.REFUSED, Cannot.NO_ZONE)
        return name, times.instant(when, now=self.asked_at, zone=zone or UTC)

    async def done(self, tx: Transaction, answer: Answer, now: datetime) -> None:
        """Thumbtack did it, or the time was none: then nothing was asked of it."""
        row = await targeting.to_change(tx, self.payload["targeting_id"])
        if row is None:
            return
        if "refused" in answer:
            await targeting.give_up(tx, row, self.payload["version"])
            await self.answer(tx, blocks.bad_time(times.Refusal(answer["refused"])), now)
            return
        until = datetime.fromisoformat(answer["until"]) if answer["until"] else None
        row.time_zone = answer["zone"]
        await self._confirm(tx, row, until, now)

    async def _confirm(self, tx: Transaction, row: Targeting, until: datetime | None, now: datetime) -> None:
        user, enabled = self.payload["user"], self.enabled
        version, team_id = self.payload["version"], self.payload["team_id"]
        change = await note(tx, row, enabled=enabled, until=until, by=user, version=version, team_id=team_id, now=now)
        undo_id = None if self.payload.get("undo") else change.id
        still = await _still_paused(tx, row) if enabled else []
        post = blocks.confirmed(
            self.subject, enabled=enabled, until=until, by=user, undo_id=undo_id, still_paused=still
        )
        await self.answer(tx, post, now)
        told = {"audit_id": change.id, "targeting_id": row.id, "set_version": row.set_version}
        await notice(tx, "targeting_set", now, {**told, "undo": undo_id is not None})

    async def failed(self, tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        """Again for a while; then it is given up, and they hear it."""
        row = await targeting.to_change(tx, self.payload["targeting_id"])
        if row is None:
            return Settled(reason=failure.reason)
        if not _still_wanted(row, self.payload):
            await self.replaced(tx, row, now)
            return Settled(reason=failure.reason)
        deadline = self.asked_at + PATIENCE
        if isinstance(verdict, Again) and now < deadline:
            if self.attempt == TOLD_AT and failure.reason != Cannot.NO_ZONE:  # then it is Slack that is away
                await self.answer(tx, blocks.waits(self.subject, enabled=self.enabled), now)
            return Again(at=min(verdict.at, deadline), reason=failure.reason)
        await self._give_up(tx, row, failure, now)
        return Settled(reason=failure.reason)

    async def replaced(self, tx: Transaction, row: Targeting, now: datetime) -> None:
        """Somebody, or a pause's end, was faster: it is not done."""
        await targeting.give_up(tx, row, self.payload["version"])
        await self.answer(tx, blocks.replaced(self.subject, enabled=self.enabled), now)

    async def _give_up(self, tx: Transaction, row: Targeting, failure: Failure, now: datetime) -> None:
        """Nothing is claimed that did not happen: what was set before stands, and what was planned for it."""
        goes_on = self.enabled and row.set_enabled is False
        await targeting.give_up(tx, row, self.payload["version"])
        if goes_on and row.failing_since is None:  # else it is tried on already
            plan = {"targeting_id": row.id, "set_version": row.set_version, "team_id": self.payload["team_id"]}
            await targeting_resumes.go_on(tx, row, plan, failure, now)
        detail = detail_of(failure)
        post = blocks.failed(self.subject, failure.reason, enabled=self.enabled, detail=detail, goes_on=goes_on)
        await self.answer(tx, post, now)

    async def answer(self, tx: Transaction, post: Post, now: datetime) -> None:
        """Tell who asked, and nobody else."""
        vault, user = self.services.vault, self.payload["user"]
        await answers.enqueue(tx, vault, url=vault.open(self.payload["url"]), post=post, now=now, or_tell=user)


def _still_wanted(row: Targeting, payload: Mapping[str, Any]) -> bool:
    """Whether nobody wanted something else since, and what an Undo undoes still stands."""
    stands = payload.get("since") in (None, row.set_version)
    return stands and targeting.is_latest(row, payload["version"])


async def _still_paused(tx: Transaction, row: Targeting) -> list[str]:
    """What else of the business is paused: resuming one thing does not resume the others."""
    rows = await targeting.of_business(tx, row.business_id)
    return [one.category or "the whole business" for one in rows if one.set_enabled is False and one.id != row.id]
