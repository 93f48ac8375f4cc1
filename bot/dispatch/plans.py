"""What a kind of delivery hands to the dispatcher: the call to make, and what to write down once it was made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.dispatch.verdicts import Verdict
from bot.failures import Failure
from bot.reply_rules import Desk
from bot.services import Services
from bot.slack import Identity
from storage.database import Transaction
from storage.entries import Entry

Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class At:
    """What a kind has at hand while it prepares, in the transaction that claims the entry.

    `claim`: the entry as it is from the claim's commit on, for what is done after that. `maybe_done`: an earlier attempt
    may have been made, and its outcome is not known.
    """

    tx: Transaction
    entry: Entry
    claim: Entry
    services: Services
    identity: Identity
    now: datetime
    maybe_done: bool

    @property
    def desk(self) -> Desk:
        """For moving replies."""
        return Desk(tx=self.tx, settings=self.services.settings, now=self.now)

    @property
    def attempt(self) -> int:
        """Which attempt this is, counted from 1."""
        return self.claim.attempt

    @property
    def part(self) -> int:
        """Which post of several this is, from 0."""
        return int(self.entry.payload.get("part", 0))


@dataclass(frozen=True, kw_only=True)
class More:
    """The entry goes on: the same again with this payload, before anything behind it."""

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Parked:
    """The entry waits until a person chooses; its lane waits with it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class NotYet:
    """The entry cannot be said yet (no channel is set, the thread is not there); it is tried again after `pause`.

    `reason`: what is in the way; None where nothing is but that its time has not come, which nobody is to be alarmed by.
    """

    reason: str | None
    pause: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Instead:
    """After a failure: the same entry with another payload, at once (links instead of pictures, plain text)."""

    payload: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """After a failure: a person was told, nothing more is to be done."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One delivery.

    `perform` makes the call; `look` finds what an earlier attempt may have done; `then` writes down what came of it;
    `failed` may replace the verdict on a failure. `then` and `failed` get a transaction of their own. `channel`: where
    it posts, whose pace it keeps; `pace`: whose it keeps instead (see `storage.pacing`).
    """

    perform: Callable[[], Awaitable[Answer]]
    then: Callable[[Transaction, Answer, datetime], Awaitable[More | None]] | None = None
    look: Callable[[], Awaitable[Answer | None]] | None = None
    failed: Callable[[Transaction, Failure, Verdict, datetime], Awaitable[Verdict | Instead | Settled]] | None = None
    channel: str | None = None
    pace: str | None = None


Prepared = Plan | Parked | NotYet | None
"""None: there is nothing to say any more."""

Prepare = Callable[[At], Awaitable[Prepared]]
