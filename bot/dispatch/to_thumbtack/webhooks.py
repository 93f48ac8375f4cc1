"""Our own webhooks at v4: each connected business has one, with credentials of its own, and it is made, repaired, tried here.

What Thumbtack lists decides what is to be done, so that all of it can be repeated after a lost answer. Source: Thumbtack's
page "Manage Webhooks".
"""

import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from bot import answers, features
from bot.blocks import webhooks as blocks
from bot.blocks.posts import Post
from bot.blocks.webhooks import Cannot, Found
from bot.dispatch.outcomes import BROKE
from bot.dispatch.plans import Answer, At, Plan, Prepared, Settled
from bot.dispatch.to_thumbtack.failing import detail_of, of_repeatable
from bot.dispatch.verdicts import Again, Verdict
from bot.failures import Failure
from storage import audit, businesses, connections
from storage import webhooks as rows
from storage.database import Transaction
from storage.models import Business, Connection, ConnectionState, Environment, Generation, Webhook
from storage.outbox import Kind
from storage.vault import VaultError
from webhooks import routes
from webhooks.thumbtack import errors
from webhooks.thumbtack.credentials import BasicCredentials
from webhooks.thumbtack.records import Webhook as Listed
from webhooks.tokens import ConnectionTokens

EVENTS = tuple(blocks.EVENTS)
"""What every webhook of ours is for; what somebody added at Thumbtack stays."""

USERNAME = "corkboard"
PASSWORD_BYTES = 32

PATIENCE = timedelta(minutes=10)
"""For how long what a person pressed is tried; then they are told."""

LONG_PATIENCE = timedelta(days=1)
"""For how long what follows from connecting is tried; then the person who connected is told."""

TOLD_AT = 3
"""The attempt after whose failure who pressed is told that it takes longer."""

LONGEST_PAUSE = timedelta(minutes=15)

T = TypeVar("T")

log = structlog.get_logger()


async def set_webhook(at: At) -> Prepared:
    """SET_WEBHOOK {business_id, team_id, user, url (sealed, where somebody pressed it)}: ours stands as it should.

    With `look` it is only looked at: who changed it at Thumbtack may have wanted that.
    """
    work = await _begun(at)
    if work is None:
        return None
    if at.entry.payload.get("look"):
        return _looking(work)
    wanted = await _wanted(work)

    async def perform() -> Answer:
        return {"outcome": await work.asked(wanted.set_right())}

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        await _note(tx, work, answer["outcome"], now=now)

    return Plan(perform=perform, then=then, failed=work.failed)


def _looking(work: "_Work") -> Plan:
    client, thumbtack_id = work.at.services.thumbtack, work.business.thumbtack_id

    async def perform() -> Answer:
        return {"listed": await work.asked(client.list_webhooks(work.tokens, business_id=thumbtack_id))}

    async def then(tx: Transaction, answer: Answer, now: datetime) -> None:
        row = await rows.to_change(tx, work.business_id)
        if row is None or row.thumbtack_id is None:
            return
        found = [one for one in answer["listed"] if one.webhook_id == row.thumbtack_id]
        if not found:
            row.thumbtack_id, row.reason = None, Cannot.DELETED.value
        for one in found:
            row.url, is_enabled = one.url or row.url, one.is_enabled is not False
            rows.seen(row, is_enabled=is_enabled, event_types=one.event_types, now=now)

    return Plan(perform=perform, then=then, failed=work.failed)


async def test_webhook(at: At) -> Prepared:
    """TEST_WEBHOOK {business_id, team_id, user, url (sealed)}: Thumbtack sends its test lead to who subscribes to leads."""
    work = await _begun(at)
    if work is None:
        return None
    row = await rows.of_business(at.tx, work.business_id)
    if row is None or row.thumbtack_id is None:
        await work.cannot(at.tx, Cannot.NO_WEBHOOK, now=at.now)
        return None
    client, tokens, thumbtack_id = at.services.thumbtack, work.tokens, work.business.thumbtack_id

    async def perform() -> Answer:
        await work.asked(client.fire_test_webhook(tokens, business_id=thumbtack_id))
        return {}

    async def then(tx: Transaction, _answer: Answer, now: datetime) -> None:
        await work.answer(tx, blocks.tested(work.business), now=now)

    return Plan(perform=perform, then=then, failed=work.failed)


# What stands in the way before anything is asked


async def _begun(at: At) -> "_Work | None":
    """What is needed to ask Thumbtack; None where there is nothing to ask, and who waits was told why."""
    business = await businesses.get(at.tx, at.entry.payload["business_id"])
    if business is None:
        return None
    connection = await connections.of_business(at.tx, business.id, Generation.V4)
    settings = at.services.settings
    url = routes.address(settings.public_url, Environment(business.environment), business.thumbtack_id)
    work = _Work(
        at=at,
        business=business,
        url=url or "",
        tokens=at.services.tokens.of((connection.id if connection else None) or 0),
        lacks=features.lacks_webhooks([] if connection is None else connection.scopes),
    )
    in_the_way = _in_the_way(work, connection, is_ours=business.environment == settings.thumbtack_environment)
    if in_the_way is None:
        return work
    if work.is_pressed:  # what follows from connecting is told as missing where connections are told of
        await work.cannot(at.tx, in_the_way, now=at.now)
    return None


def _in_the_way(work: "_Work", connection: Connection | None, *, is_ours: bool) -> Cannot | None:
    if not is_ours:
        return Cannot.OTHER_ENVIRONMENT
    if connection is None:
        return Cannot.NOT_CONNECTED
    if connection.state != ConnectionState.ACTIVE:
        return Cannot.RECONNECT
    if work.lacks:
        return Cannot.SCOPE_MISSING
    return None if work.url else Cannot.NO_ADDRESS


async def _wanted(work: "_Work") -> "_Wanted":
    """What Thumbtack is to have; a password that is right before Thumbtack hears of it, and the same ever after."""
    at = work.at
    row = await rows.to_change(at.tx, work.business_id)
    password = (None if row is None else _opened(at, row)) or secrets.token_urlsafe(PASSWORD_BYTES)
    if row is None:
        sealed = at.services.vault.seal(password)
        row = await rows.add(at.tx, work.business, url=work.url, username=USERNAME, password=sealed, now=at.now)
    elif _opened(at, row) is None:
        await rows.lock_anew(at.tx, row, password=at.services.vault.seal(password))
    auth = BasicCredentials(username=row.username, password=password)
    return _Wanted(work=work, auth=auth, known_as=row.thumbtack_id)


def _opened(at: At, row: Webhook) -> str | None:
    try:
        return at.services.vault.open(row.password)
    except VaultError:
        return None


# Setting it right


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What was found, and how it stands now."""

    found: Found
    webhook_id: str
    event_types: tuple[str, ...]
    before: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """How a webhook is to stand. `known_as`: Thumbtack's id of the one that has our password."""

    work: "_Work"
    auth: BasicCredentials = field(repr=False)
    known_as: str | None

    async def set_right(self) -> _Outcome:
        """Look at the list; make what is missing, mend what is wrong, leave what is right."""
        work, client = self.work, self.work.at.services.thumbtack
        listed = await client.list_webhooks(work.tokens, business_id=work.business.thumbtack_id)
        ours = self._ours(listed)
        if not ours:
            made = await client.create_webhook(
                work.tokens,
                business_id=work.business.thumbtack_id,
                url=work.url,
                event_types=EVENTS,
                auth=self.auth,
            )
            return _Outcome(found=Found.MISSING, webhook_id=made.webhook_id, event_types=EVENTS)
        for twin in ours[1:]:
            await self._remove(twin)
        return await self._mended(ours[0])

    def _ours(self, listed: Sequence[Listed]) -> list[Listed]:
        """Those that are ours, the one that has our password first."""
        ours = [one for one in listed if one.webhook_id == self.known_as or one.url == self.work.url]
        return sorted(ours, key=lambda one: one.webhook_id != self.known_as)

    async def _mended(self, one: Listed) -> _Outcome:
        types = (*EVENTS, *(name for name in one.event_types if name not in EVENTS))
        if self._is_right(one):
            return _Outcome(found=Found.RIGHT, webhook_id=one.webhook_id, event_types=types)
        await self.work.at.services.thumbtack.replace_webhook(
            self.work.tokens,
            business_id=self.work.business.thumbtack_id,
            webhook_id=one.webhook_id,
            url=self.work.url,
            event_types=types,
            auth=self.auth,
        )
        return _Outcome(found=Found.WRONG, webhook_id=one.webhook_id, event_types=types, before=one.event_types)

    def _is_right(self, one: Listed) -> bool:
        """What the list does not say counts as right; whether the password is ours it never says."""
        return (
            one.webhook_id == self.known_as
            and one.url == self.work.url
            and one.is_enabled is not False
            and one.auth_type in (None, "Basic")
            and set(EVENTS) <= set(one.event_types)
        )

    async def _remove(self, twin: Listed) -> None:
        """One that an attempt made whose answer was lost: everything would come twice."""
        client, thumbtack_id = self.work.at.services.thumbtack, self.work.business.thumbtack_id
        try:
            await client.delete_webhook(self.work.tokens, business_id=thumbtack_id, webhook_id=twin.webhook_id)
        except errors.RequestRejected as error:
            if error.status != 404:
                raise


async def _note(tx: Transaction, work: "_Work", outcome: _Outcome, *, now: datetime) -> None:
    """Write down what Thumbtack has, and tell who pressed. Nothing where the business was disconnected meanwhile."""
    row = await rows.to_change(tx, work.business_id)
    if row is None:
        return
    rows.confirmed(row, thumbtack_id=outcome.webhook_id, url=work.url, event_types=outcome.event_types, now=now)
    log.info("webhook_set", business_id=work.business_id, found=outcome.found.value)
    if not work.is_pressed:
        return  # it belongs to connecting, which is told and audited as such
    if outcome.found is not Found.RIGHT:
        audit.record(
            tx,
            team_id=work.payload.get("team_id"),
            actor=work.payload.get("user"),
            action="webhook_set",
            business_id=work.business_id,
            before={"events": blocks.named(outcome.before)} if outcome.before else {},
            after={"events": blocks.named(outcome.event_types)},
            now=now,
        )
    await work.answer(tx, blocks.stands(work.business, outcome.found, outcome.event_types), now=now)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One thing to do about a webhook: of which business, by which tokens, and who waits for the answer."""

    at: At
    business: Business
    url: str
    tokens: ConnectionTokens
    lacks: tuple[str, ...]

    @property
    def business_id(self) -> int:
        """Our id."""
        return self.business.id or 0

    @property
    def payload(self) -> dict[str, Any]:
        """The entry's."""
        return self.at.entry.payload

    @property
    def is_pressed(self) -> bool:
        """Whether somebody waits for it."""
        return bool(self.payload.get("url"))

    @property
    def is_test(self) -> bool:
        """Whether it is the test lead that is wanted."""
        return self.at.entry.kind == Kind.TEST_WEBHOOK

    async def asked(self, call: Awaitable[T]) -> T:
        """Make the call, and say of a failure whether it may help to ask again."""
        try:
            return await call
        except errors.CallError as error:
            raise of_repeatable(error) from error

    async def failed(self, tx: Transaction, failure: Failure, verdict: Verdict, now: datetime) -> Verdict | Settled:
        """Again for a while; then, and where that cannot help, it stands on the status page, and who waits is told."""
        entry, row = self.at.entry, await rows.to_change(tx, self.business_id)
        if row is not None and row.thumbtack_id is None and not self.is_test:
            row.reason = failure.reason
        deadline = entry.created_at + (PATIENCE if self.is_pressed else LONG_PATIENCE)
        if isinstance(verdict, Again) and now < deadline:
            if self.is_pressed and self.at.attempt == TOLD_AT:
                await self.answer(tx, blocks.waits(self.business), now=now)
            pause = min(LONGEST_PAUSE, timedelta(seconds=2.0 ** min(self.at.attempt, 10)))
            return Again(at=min(max(verdict.at, now + pause), deadline), reason=failure.reason)
        if self.is_pressed or row is not None:
            await self.cannot(tx, failure.reason, now=now, detail=detail_of(failure))
        return verdict if failure.reason == BROKE else Settled(reason=failure.reason)

    async def cannot(self, tx: Transaction, reason: str, *, now: datetime, detail: str | None = None) -> None:
        """Say why it was not done."""
        lacks = self.lacks or features.of_webhooks()
        post = blocks.cannot(self.business, reason, scopes=lacks, detail=detail, of_test=self.is_test)
        await self.answer(tx, post, now=now)

    async def answer(self, tx: Transaction, post: Post, *, now: datetime) -> None:
        """To who pressed, or to who connected; nobody where that was nobody."""
        sealed, user, vault = self.payload.get("url"), self.payload.get("user"), self.at.services.vault
        if sealed:
            await answers.enqueue(tx, vault, url=vault.open(sealed), post=post, now=now, or_tell=user)
        elif user:
            await answers.tell(tx, vault, user=user, post=post, now=now)
