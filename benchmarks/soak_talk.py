"""Everybody who tells Corkboard something in a soak: customers on either API, and the team below the cards."""

import asyncio
import functools
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from benchmarks.soak_tally import Job
from sandbox.outside import CHANNEL, WEBHOOK_PASSWORD, WEBHOOK_USERNAME
from sandbox.slack import Answer, SlackStandIn
from sandbox.slack.block_kit import elements
from sandbox.thumbtack import ThumbtackStandIn, bodies, v4_bodies
from sandbox.thumbtack.pushing import LEAD, MESSAGE

AT_ONCE = 32
"""How many leads are talked about at the same time."""

Json = dict[str, Any]


class Talk:
    """`jobs`: the leads so far, and what was told of each; `told`: how many events of each kind were taken."""

    def __init__(
        self,
        slack: SlackStandIn,
        thumbtack: ThumbtackStandIn,
        *,
        url: str,
        up: asyncio.Event,
        chance: random.Random,
    ) -> None:
        """`url`: where the bot listens while it is `up`; `chance`: what decides who says what."""
        self.jobs: list[Job] = []
        self.told: Counter[str] = Counter()
        self._slack, self._thumbtack = slack, thumbtack
        self._url, self._up, self._chance = url, up, chance
        self._window = asyncio.Lock()
        self._http: httpx.AsyncClient
        self._cards: dict[str, str] = {}
        self._look_at = 0.0

    @property
    def events(self) -> int:
        """How much was told so far."""
        return self.told.total()

    async def until(self, enough: Callable[[], bool]) -> None:
        """Leads come, so many at once, until it is enough; what was begun is told to its end."""
        numbers = itertools.count()

        async def one_after_the_other() -> None:
            while not enough():
                await self._conversation(next(numbers))

        auth = (WEBHOOK_USERNAME, WEBHOOK_PASSWORD)
        client = httpx.AsyncClient(base_url=self._url, auth=auth, trust_env=False, timeout=15)
        async with client as self._http, asyncio.TaskGroup() as everybody:
            for _ in range(AT_ONCE):
                everybody.create_task(one_after_the_other())

    async def _conversation(self, number: int) -> None:
        """One lead from its first word to its review, by either API; its customer now and then faster than the lead."""
        v4 = number % 4 == 3
        lead = self._v4_lead(number) if v4 else bodies.lead(bodies.SCENES[2], request={"category": f"job{number}"})
        job = Job(number=number, lead_id=str(lead["negotiationID" if v4 else "leadID"]))
        self.jobs.append(job)
        if self._chance.random() < 0.15:
            await self._message(job, lead, v4=v4)
        await (self._event("leads", LEAD, lead) if v4 else self._tell("leads", "/v1/lead", lead))
        for _ in range(self._chance.randint(0, 3)):
            await self._message(job, lead, v4=v4)
        await self._team(job)
        if not v4:  # v4 pushes no prices
            await self._price_and_review(job)
        await self._work(job)

    def _v4_lead(self, number: int) -> Json:
        """A lead that Thumbtack's list of messages knows, too."""
        category = {"categoryID": "1", "name": f"job{number}"}
        return self._thumbtack.v4_change(self._thumbtack.v4_request(request={"category": category}))

    async def _message(self, job: Job, lead: Json, *, v4: bool) -> None:
        text = f"job{job.number}m{job.messages}"
        job.messages += 1
        if not v4:
            await self._tell("messages", "/v1/message", bodies.message(job.lead_id, text))
            return
        said = v4_bodies.message(lead, job.lead_id, text, sender="Customer", at=datetime.now(UTC))
        await self._event("messages", MESSAGE, said)

    async def _event(self, what: str, event_type: str, data: Json) -> None:
        body = v4_bodies.event(event_type, data, webhook_id="540000000000000104", at=datetime.now(UTC))
        await self._tell(what, "/v4/webhooks", body)

    async def _price_and_review(self, job: Job) -> None:
        if self._chance.random() < 0.3:
            job.priced = f"${job.number}.03"
            await self._tell("prices", "/v1/lead/update", bodies.price(job.lead_id, job.priced), method="PUT")
        if self._chance.random() < 0.2:
            job.reviewed = True
            await self._tell("reviews", "/v1/review", bodies.review(job.lead_id, "5", f"{job.name}v0"))

    async def _tell(self, what: str, path: str, body: Json, *, method: str = "POST") -> None:
        """Thumbtack tells it until it is taken, and now and then once more (but for prices, which may repeat)."""
        again = what != "prices" and self._chance.random() < 0.1
        for _ in range(1 + again):
            while not await self._taken(path, body, method):  # noqa: ASYNC110 -- who is away tells nobody when it is back
                await asyncio.sleep(0.1)
        self.told[what] += 1

    async def _taken(self, path: str, body: Json, method: str) -> bool:
        await self._up.wait()
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.TransportError:
            return False
        if answer.status_code not in (200, 202, 503):
            raise RuntimeError(f"A webhook was answered with {answer.status_code}: {answer.text}")
        return answer.status_code != 503

    async def _team(self, job: Job) -> None:
        """The team answers below the card: replies, and notes that must stay inside."""
        for n in range(self._chance.choice((0, 1, 1, 2, 4))):
            card = await self._card(job)
            if self._chance.random() < 0.25:
                job.notes.append(f"note: job{job.number}n{n}")
                await self._say(card, job.notes[-1])
                self.told["notes"] += 1
                continue
            text = f"job{job.number}r{n}"
            job.replies.append((await self._say(card, text), text))
            self.told["replies"] += 1

    async def _work(self, job: Job) -> None:
        """Somebody presses the buttons of the card, again where nothing happened: the lead is claimed, and won."""
        if self._chance.random() < 0.3:
            card = await self._card(job)
            await self._insist(lambda: self._press("U0ANA", card, "lead_claim"))
            self.told["claims"] += 1
        if self._chance.random() < 0.15:
            await self._win(await self._card(job))
            job.won = True
            self.told["wins"] += 1

    async def _win(self, card: str) -> None:
        """Slack may not have opened the window, or opened it late, or says in it that it did not work: again, then."""
        async with self._window:  # one person looks at one window
            while not (there := self._windows(card)):
                await self._insist(lambda: self._press("U0BEN", card, "lead_won"))
                await asyncio.sleep(0.05)  # a card that came before its lead may have no such button yet
            while there:
                await self._insist(functools.partial(self._submit, there[-1]))
                there = self._windows(card)

    def _windows(self, card: str) -> list[str]:
        """The windows that one person has open about the lead of a card: others may be left from before."""
        blocks = self._slack.workspace.channel(CHANNEL).messages[card]["blocks"]
        leads = {one.get("value") for _, one in elements(blocks) if one["action_id"].startswith("lead_")}
        return [view["id"] for view in self._slack.views("U0BEN") if view["private_metadata"] in leads]

    async def _submit(self, view_id: str) -> Answer:
        return await self._slack.submit("U0BEN", {"amount": "$120"}, view_id=view_id)

    async def _insist(self, deed: Callable[[], Awaitable[Answer]]) -> None:
        await self._up.wait()
        while not (await deed()).ok:
            await asyncio.sleep(self._chance.uniform(0.1, 0.5))
            await self._up.wait()

    async def _press(self, user: str, card: str, button: str) -> Answer:
        """Press it, unless it is gone: somebody was faster, or only the answer to the press was lost."""
        try:
            return await self._slack.press(user, CHANNEL, card, button)
        except LookupError:
            return Answer(status=200)

    async def _say(self, card: str, text: str) -> str:
        """A person writes; Slack tells it until it is heard, and now and then three times or late."""
        answer = await self._slack.say("U0ANA", CHANNEL, text, thread_ts=card)
        ts = answer.ts or ""
        again = 2 if self._chance.random() < 0.1 else 0
        while not answer.ok:
            await asyncio.sleep(self._chance.uniform(0.1, 1.0))
            answer = await self._slack.redeliver(answer)
        for number in range(again):
            await self._slack.redeliver(answer, number=number + 1)
        return ts

    async def _card(self, job: Job) -> str:
        """The ts of its card, as soon as it stands."""
        while job.name not in self._cards:
            self._look()
            await asyncio.sleep(0.1)
        return self._cards[job.name]

    def _look(self) -> None:
        """Remember the cards by their names, now and then; one that came before its lead gets its name later."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + 0.5
        for one in self._slack.workspace.channel(CHANNEL).messages.values():
            if one.get("bot_id") and one.get("thread_ts", one["ts"]) == one["ts"]:
                self._cards.setdefault(str(one["text"]).split(" ")[0], one["ts"])
