"""What can go wrong, begun and ended on the page: each says what is going on, and how it ends."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from sandbox.pages.deeds import Deed, Json
from sandbox.shortcuts import OUTAGE
from sandbox.slack import failures
from sandbox.thumbtack import v4_bodies
from sandbox.wire import BOT, Went

if TYPE_CHECKING:
    from sandbox.outside import BotControl, Outside

A_QUARTER = timedelta(minutes=15)
POST, REPLY, ALL = "chat.postMessage", "message", "*"  # targets of faults


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One thing that can go wrong: what it is called and what it would do; while it is on, the same of now.

    `begin`, `ends`: what the buttons say; there is none to end it where `goes_on` says how else it ends.
    """

    key: str
    name: str
    hint: str
    now: str
    goes_on: str
    begin: str
    ends: str | None


TROUBLES = (
    Trouble(
        key="slack_down",
        name="Outage of Slack",
        hint="Every call to Slack would fail with 503.",
        now="Slack is down",
        goes_on="Every call to Slack fails with 503. What the bot has to say waits, in order.",
        begin="Take Slack down",
        ends="Bring Slack back",
    ),
    Trouble(
        key="thumbtack_down",
        name="Outage of Thumbtack",
        hint="Every call to Thumbtack would fail with 503.",
        now="Thumbtack is down",
        goes_on="Every call to Thumbtack fails with 503. Replies wait, with an hourglass; what customers write still comes.",
        begin="Take Thumbtack down",
        ends="Bring Thumbtack back",
    ),
    Trouble(
        key="slack_lost",
        name="Lost answer of Slack",
        hint="The next post would stand in Slack, and the bot would not hear that it does.",
        now="Slack's answer is lost",
        goes_on="Waiting for the next post. The bot then has to look whether it stands before it posts again.",
        begin="Lose Slack's next answer",
        ends="Do not lose it",
    ),
    Trouble(
        key="thumbtack_lost",
        name="Lost answer of Thumbtack",
        hint="The next reply would reach the customer, and the bot would not hear that it did.",
        now="Thumbtack's answer is lost",
        goes_on="Waiting for the next reply. The bot looks whether it arrived; the Pro API cannot be asked: then it asks you.",
        begin="Lose Thumbtack's next answer",
        ends="Do not lose it",
    ),
    Trouble(
        key="token_expired",
        name="Expired tokens",
        hint="Thumbtack would refuse the access tokens that it gave so far.",
        now="Tokens have expired",
        goes_on="Thumbtack refuses the bot's access tokens. It ends by itself: the bot renews them with its next call.",
        begin="Let the tokens expire",
        ends=None,
    ),
    Trouble(
        key="tokens_revoked",
        name="Withdrawn consent",
        hint="The pro would take back on Thumbtack what they allowed.",
        now="Consent is withdrawn",
        goes_on="No token works any more. To end it, act as Olga, type /thumbtack connect, and allow it again.",
        begin="Withdraw consent",
        ends=None,
    ),
    Trouble(
        key="bot_killed",
        name="Killed bot",
        hint="The process would end at once, in the middle of whatever it does.",
        now="The bot was killed",
        goes_on="Nobody hears Slack and Thumbtack. They try again what was missed as soon as it runs.",
        begin="Kill the bot",
        ends="Start it again",
    ),
)


def view(world: "Outside", as_user: str) -> Json:  # noqa: ARG001 -- every part of the page takes both; trouble is everybody's
    """Every trouble with whether it is `on`, the bot, how far its clock is ahead, the tour, and the last calls.

    `missing`: no bot called, or answered, as far as is remembered; one that was started elsewhere may not run.
    """
    return {
        "troubles": [asdict(one) | {"on": _STATES[one.key](world)} for one in TROUBLES],
        "bot": None if world.bot is None else {"running": world.bot.running},
        "missing": world.bot is None and not any(map(_is_of_the_bot, world.wire.calls)),
        "minutes_ahead": int(world.clock.ahead / timedelta(minutes=1)),
        "tour": world.tour,
        "wire": [asdict(one) | {"at": v4_bodies.iso(one.at)} for one in reversed(world.wire.calls)],
    }


def deeds(world: "Outside") -> Mapping[str, Deed]:
    """By name; what each takes stands in its function. It does not matter who acts."""
    maker = _Maker(world)
    return {"trouble": maker.trouble, "later": maker.later}


class _Maker:
    """Begins and ends trouble. ValueError: why that cannot be."""

    def __init__(self, world: "Outside") -> None:
        self._world = world
        self._heard = 0  # of what people did, as far as the bot has heard it, or Slack has tried again
        self._begins: Mapping[str, Callable[[], Awaitable[str | None]]] = {
            "slack_down": self._slack_down, "thumbtack_down": self._thumbtack_down,
            "slack_lost": self._lose_slack, "thumbtack_lost": self._lose_thumbtack,
            "token_expired": self._expire, "tokens_revoked": self._revoke, "bot_killed": self._kill,
        }  # fmt: skip
        self._ends: Mapping[str, Callable[[], Awaitable[str | None]]] = {
            "slack_down": self._slack_up, "thumbtack_down": self._thumbtack_up,
            "slack_lost": self._keep_slack, "thumbtack_lost": self._keep_thumbtack, "bot_killed": self._start,
        }  # fmt: skip

    async def trouble(self, _: str, args: Json) -> str | None:
        """Begin (`on`: true) or end the trouble `key`; what is so already stays so."""
        key, on = args.get("key"), args.get("on") is True
        do = (self._begins if on else self._ends).get(str(key))
        if do is None:
            raise ValueError("That is no trouble which can be made here." if on else "That does not end by a button.")
        if _STATES[str(key)](self._world) is on:
            return None
        return await do()

    async def later(self, _: str, _args: Json) -> str:
        """A quarter of an hour passes, for the bot and around it."""
        self._bot()
        self._world.put_forward(A_QUARTER)
        return "It is 15 minutes later now. What is due by then is done within a minute."

    async def _slack_down(self) -> None:
        self._world.slack.faults.stand(ALL, failures.down())

    async def _slack_up(self) -> None:
        self._world.slack.faults.clear(ALL)

    async def _thumbtack_down(self) -> None:
        self._world.thumbtack.faults.stand(ALL, OUTAGE)

    async def _thumbtack_up(self) -> None:
        for target in (ALL, REPLY):  # from the shell only replies may have been stopped
            self._world.thumbtack.faults.clear(target)

    async def _lose_slack(self) -> None:
        self._world.slack.faults.add(POST, failures.lost_answer())

    async def _keep_slack(self) -> None:
        self._world.slack.faults.clear(POST)

    async def _lose_thumbtack(self) -> None:
        self._world.thumbtack.faults.add(REPLY, failures.lost_answer())

    async def _keep_thumbtack(self) -> None:
        self._world.thumbtack.faults.clear(REPLY)

    async def _expire(self) -> None:
        self._connected()
        self._world.thumbtack.grants.expire_access_tokens()

    async def _revoke(self) -> None:
        self._connected()
        self._world.thumbtack.grants.revoke()

    async def _kill(self) -> None:
        bot = self._bot()
        self._heard = len(self._world.slack.answers)
        await bot.kill()

    async def _start(self) -> str:
        await self._bot().start()
        slack, thumbtack = self._world.slack, self._world.thumbtack
        missed = [one for one in slack.answers[self._heard :] if one.failure and one.delivery and one.delivery.repeats]
        for one in missed:
            await slack.redeliver(one, reason=one.failure or "")
        try:
            again = await thumbtack.deliver_again()
        except httpx.TransportError:
            raise ValueError("The bot was started, and does not answer.") from None
        tried = len(missed) + len(again)
        return f"The bot runs again. {f'Slack and Thumbtack told it what it had missed: {tried}.' if tried else 'It missed nothing.'}"

    def _bot(self) -> "BotControl":
        if self._world.bot is None:
            raise ValueError(
                "This bot was started elsewhere: end it and start it there. `corkboard demo` keeps its own."
            )
        return self._world.bot

    def _connected(self) -> None:
        grants = self._world.thumbtack.grants
        if not (grants.live("legacy") or grants.live("v4")):
            raise ValueError("No business is connected. Act as Olga, and type /thumbtack connect.")


def _is_of_the_bot(call: Went) -> bool:
    return call.caller == BOT or call.status is not None


def _is_revoked(world: "Outside") -> bool:
    grants = world.thumbtack.grants
    return bool(grants.consents) and not (grants.live("legacy") or grants.live("v4"))


_STATES: "Mapping[str, Callable[[Outside], bool]]" = {
    "slack_down": lambda world: world.slack.faults.stands(ALL),
    "thumbtack_down": lambda world: any(world.thumbtack.faults.stands(one) for one in (ALL, REPLY)),
    "slack_lost": lambda world: world.slack.faults.waits(POST),
    "thumbtack_lost": lambda world: world.thumbtack.faults.waits(REPLY),
    "token_expired": lambda world: world.thumbtack.grants.awaits_renewal,
    "tokens_revoked": _is_revoked,
    "bot_killed": lambda world: world.bot is not None and not world.bot.running,
}
