"""The phone numbers that may call customers through Thumbtack Numbers: listing them, and changing them by what the list shows.

A change begins with Thumbtack's list and ends with it, so that it can be repeated after a lost answer: only what the list
shows missing is sent again, and only what it shows is told.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot import answers, phone_changes
from bot.blocks import phone_outcomes, phones
from bot.blocks.posts import Post
from bot.dispatch.outcomes import BROKE
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import ThumbtackFailure, of_repeatable
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure, Sort
from bot.phone_changes import Change, Outcome, Result, Wish
from storage import audit, businesses, connections
from storage import phones as phone_rows
from storage.database import Transaction
from storage.models import Business, ConnectionState, Generation
from storage.phones import Listed
from webhooks.thumbtack import errors
from webhooks.tokens import ConnectionTokens

TRIED_FOR = timedelta(minutes=10)
"""How long a person waits for an answer before they are told that there is none."""

TOLD_AT = 3
LONG = timedelta(seconds=10)
"""A person is told that it takes longer at this attempt, after some seconds, or where the first pause is so long."""

MOST_LOST = 4
"""How often an answer may be lost before a person looks themselves."""

WRITE = "supply::businesses/associate-phone-numbers.write"

_ACTIONS = {
    Change.ADD: "phone_added",
    Change.IMPORT: "phones_imported",
    Change.RENAME: "phone_renamed",
    Change.REMOVE: "phone_removed",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Thumbtack's list, asked for at `at`."""

    listed: tuple[Listed, ...]
    at: datetime


async def list_phones(at: At) -> Prepared:
    """LIST_PHONES {business_id, url (sealed), user, find, replace}: Thumbtack's list, stored and shown to who asked."""
    work = await _begun(at)
    if work is None:
        return None

    async def perform() -> Answer:
        return {"seen": await work.seen(Sort.LATER)}

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        if await work.is_there(tx):
            await work.show(tx, answer["seen"], now=now, find=at.entry.payload.get("find", ""))

    return Plan(perform=perform, then=then, failed=work.failed)


async def change_phones(at: At) -> Prepared:
    """CHANGE_PHONES {change, entries, phone_id, number, name, business_id, url (sealed), user, team_id, replace}."""
    work = await _begun(at)
    if work is None:
        return None
    wish = phone_changes.from_payload(at.entry.payload)

    async def perform() -> Answer:
        return await work.changed(wish)

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        outcome: Outcome = answer["outcome"]
        if not await work.is_there(tx):
            return
        said = phone_outcomes.outcome(wish.change, outcome, number=wish.number, name=_name(wish, answer))
        work.record(tx, wish, outcome, was=answer["was"], now=now)
        await work.show(tx, answer["seen"], now=now, outcome=said)

    return Plan(perform=perform, then=then, failed=work.failed)


async def _begun(at: At) -> "_Work | None":
    """What is needed to ask Thumbtack; None where the person was told already why nothing can be asked."""
    payload = at.entry.payload
    business = await businesses.get(at.tx, payload["business_id"])
    if business is None:
        return None
    connection = await connections.of_business(at.tx, business.id, Generation.V4)
    usable = connection is not None and connection.state == ConnectionState.ACTIVE
    work = _Work(
        at=at,
        business=business,
        tokens=at.services.tokens.of((connection.id if connection else None) or 0),
        may_change=connection is None or not connection.scopes or WRITE in connection.scopes,
    )
    if usable:
        return work
    post = (
        phone_outcomes.not_connected(business)
        if connection is None
        else work.did_not_work("reconnect", maybe_done=at.maybe_done)
    )
    await work.answer(at.tx, post, now=at.now)
    return None


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One listing or change: for which business, over which connection, and who waits for the answer."""

    at: At
    business: Business
    tokens: ConnectionTokens
    may_change: bool

    @property
    def business_id(self) -> int:
        return self.business.id or 0

    # Asking Thumbtack

    async def seen(self, lost: Sort) -> Seen:
        """Thumbtack's list. `lost`: what it means where it cannot be had just now."""
        services, asked_at = self.at.services, self.at.services.clock()
        try:
            found = await services.thumbtack.list_phones(self.tokens, business_id=self.business.thumbtack_id)
        except errors.CallError as error:
            failure = of_repeatable(error, odd=Sort.REFUSED)
            raise failure if lost is Sort.LATER else ThumbtackFailure(lost, error.reason, error) from error
        listed = tuple(
            Listed(
                thumbtack_id=one.phone_id,
                number=one.number,
                name=one.name or None,
                last_activity_at=one.last_activity_at,
                is_deleted=one.is_deleted,
            )
            for one in found
        )
        return Seen(listed=listed, at=asked_at)

    async def changed(self, wish: Wish) -> Answer:
        """Do it, where Thumbtack's list does not show it done already, and look at the list again."""
        first = await self.seen(Sort.LATER)
        was = phone_changes.name_of(wish, first.listed)
        outcome = phone_changes.before(wish, first.listed, maybe_done=self.at.maybe_done)
        if outcome is not None:
            return {"outcome": outcome, "seen": first, "was": was}
        trouble = await self._tried(wish, first.listed)
        refused = trouble if isinstance(trouble, errors.RequestRejected) else None
        second = await self.seen(Sort.UNKNOWN)
        detail = refused.detail if refused is not None else None
        outcome = phone_changes.after(wish, second.listed, is_refused=refused is not None, detail=detail)
        if trouble is not None and refused is None and outcome.result is not Result.DONE:
            raise ThumbtackFailure(Sort.UNKNOWN, trouble.reason, trouble)
        return {"outcome": outcome, "seen": second, "was": was}

    async def _tried(self, wish: Wish, listed: Sequence[Listed]) -> errors.CallError | None:
        """Make the call; what it raised, where that leaves open what came of it or the list says it better."""
        try:
            await self._call(wish, listed)
        except (errors.RequestRejected, errors.OutcomeUnknown, errors.UnexpectedResponse) as error:
            return error
        except errors.TryLater as error:
            if wish.change in (Change.RENAME, Change.REMOVE):
                return error  # of what may be repeated, the client does not say whether it was done
            raise of_repeatable(error) from error
        except errors.CallError as error:
            raise of_repeatable(error) from error
        return None

    def _call(self, wish: Wish, listed: Sequence[Listed]) -> Awaitable[None]:
        client, tokens, business_id = self.at.services.thumbtack, self.tokens, self.business.thumbtack_id
        match wish.change:
            case Change.ADD:
                one = wish.entries[0]
                return client.add_phone(tokens, business_id=business_id, number=one.number, name=one.name)
            case Change.IMPORT:
                missing = [(one.number, one.name) for one in phone_changes.to_send(wish, listed)]
                return client.add_phones(tokens, business_id=business_id, phones=missing)
            case Change.RENAME:
                number = phone_changes.number_of(wish, listed)
                return client.change_phone(
                    tokens, business_id=business_id, phone_id=wish.phone_id, number=number, name=wish.name
                )
            case Change.REMOVE:
                return client.remove_phone(tokens, business_id=business_id, phone_id=wish.phone_id)

    # Telling people

    async def is_there(self, tx: Transaction) -> bool:
        """Whether the business was not erased while Thumbtack was asked: then nothing of it is written down again."""
        return await businesses.get(tx, self.business_id) is not None

    async def show(
        self, tx: Transaction, seen: Seen, *, now: datetime, find: str = "", outcome: Post | None = None
    ) -> None:
        """Remember the list and show it, under what came of a change."""
        await phone_rows.store(tx, self.business_id, seen.listed, asked_at=seen.at)
        found = await phone_rows.registered(tx, self.business_id)
        post = phones.page(self.business, found, find=find, may_change=self.may_change, outcome=outcome)
        await self.answer(tx, post, now=now, replace=bool(self.at.entry.payload.get("replace")))

    def record(self, tx: Transaction, wish: Wish, outcome: Outcome, *, was: str | None, now: datetime) -> None:
        """Into the audit trail, where Thumbtack did something: of numbers only the end, since they are people's own."""
        done = outcome.result in (Result.DONE, Result.NOT_LISTED)
        if not done and not (outcome.result is Result.REJECTED and outcome.there):
            return
        before, after = _audited(wish, outcome, was=was)
        payload = self.at.entry.payload
        audit.record(
            tx,
            team_id=payload.get("team_id"),
            actor=payload["user"],
            action=_ACTIONS[wish.change],
            now=now,
            business_id=self.business_id,
            before=before,
            after=after | ({"seen_in_list": False} if outcome.result is Result.NOT_LISTED else {}),
        )

    async def answer(self, tx: Transaction, post: Post, *, now: datetime, replace: bool = False) -> None:
        """To who asked, alone."""
        payload, vault = self.at.entry.payload, self.at.services.vault
        url = vault.open(payload["url"])
        await answers.enqueue(tx, vault, url=url, post=post, now=now, replace=replace, or_tell=payload["user"])

    def did_not_work(self, reason: str, failure: Failure | None = None, *, maybe_done: bool = False) -> Post:
        """Why there is nothing to show."""
        error = failure.error if isinstance(failure, ThumbtackFailure) else None
        return phone_outcomes.did_not_work(
            reason,
            business=self.business,
            changing="change" in self.at.entry.payload,
            maybe_done=maybe_done,
            scope=getattr(error, "scope", None),
            detail=getattr(error, "detail", None),
        )

    async def failed(self, tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        """Try again for a while; then, and where that cannot help, the person is told."""
        entry, maybe_done = self.at.entry, self.at.maybe_done or failure.sort is Sort.UNKNOWN
        ends_at = entry.created_at + TRIED_FOR
        if isinstance(verdict, Again) and now < ends_at and not _is_lost_for_good(failure, self.at.attempt):
            if self.at.attempt == TOLD_AT or (self.at.attempt == 1 and verdict.at - now > LONG):
                minutes = int(TRIED_FOR.total_seconds() // 60)
                await self.answer(tx, phone_outcomes.waiting(failure.reason, minutes=minutes), now=now)
            return replace(verdict, at=min(verdict.at, ends_at), maybe_done=maybe_done)
        maybe_done = maybe_done or failure.reason == BROKE
        await self.answer(tx, self.did_not_work(failure.reason, failure, maybe_done=maybe_done), now=now)
        return verdict if failure.reason == BROKE else Settled(reason=failure.reason)


def _is_lost_for_good(failure: Failure, attempt: int) -> bool:
    """Whether what may not be repeated at will was repeated often enough."""
    is_answer = isinstance(failure, ThumbtackFailure) and not isinstance(failure.error, errors.TryLater)
    return failure.sort is Sort.UNKNOWN and is_answer and attempt >= MOST_LOST


def _name(wish: Wish, answer: Answer) -> str | None:
    """What the number is called that a sentence is about: the new name, or the one that a removed number had."""
    name: str | None = answer["was"] if wish.change is Change.REMOVE else wish.name
    return name or wish.name


def _audited(wish: Wish, outcome: Outcome, *, was: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    ends = f"…{wish.number[-4:]}"
    match wish.change:
        case Change.ADD:
            one = wish.entries[0]
            return {}, {"number": f"…{one.number[-4:]}", "name": one.name}
        case Change.IMPORT:
            return {}, {"numbers": [f"…{one.number[-4:]} {one.name or ''}".strip() for one in outcome.there]}
        case Change.RENAME:
            return {"name": was}, {"name": wish.name, "number": ends}
        case Change.REMOVE:
            return {"number": ends, "name": was or wish.name}, {}
