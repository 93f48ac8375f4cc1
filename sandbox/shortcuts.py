"""Short addresses at the sandbox's root for curl and plain text: what the customer does, what the team does, what is seen.

    GET    /            everything there is to see (a browser gets the page to play on: `sandbox.pages`)
    POST   /lead        a customer asks for something, each time something else
    POST   /v4          likewise, told by Thumbtack's newer API, ten minutes after they asked
    POST   /customer    the customer who came last writes the text of the request
    POST   /app         somebody of the team answers that customer in Thumbtack's own app (the newer API tells it)
    POST   /price       Thumbtack says what that lead costs
    POST   /review      that customer reviews, with five stars
    POST   /outage      Thumbtack takes no replies any more ... DELETE /outage   until it does again
    POST   /ana, /ben   a member of the team answers in the newest thread; PUT changes, DELETE takes back their last words
    POST   /olga        likewise the admin; what begins with a slash is a command, and its answer is shown with its links
    GET    /ana         what is shown to that person alone: their window, their Home tab, what only they are told
    POST   /ana/press   they press what says so: a button of their window, of the newest message that has it, or of Home
    POST   /ana/submit  they fill in their window, a line `field=value` for each field, and submit it ... POST /ana/close
    POST   /ana/home    they look at the Home tab
    POST   /archive     the channel is closed ... DELETE /archive   until it is opened again
    DELETE /bot         the bot is removed from the channel ... POST /bot   until it is invited
    DELETE /install     the app is uninstalled ... POST /install   until it is installed again

Everything else can be done under /slack/control and /thumbtack/control.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.as_text import as_text
from sandbox.faults import Fault
from sandbox.member import Member
from sandbox.reading import Reader
from sandbox.slack import Answer, SlackStandIn
from sandbox.slack.block_kit import elements
from sandbox.slack.workspace import Person
from sandbox.thumbtack import ThumbtackStandIn, v4_bodies

Json = dict[str, Any]

ASKED_BEFORE = timedelta(minutes=10)
"""How old a lead of the newer API is when it comes: what the business says in the first moments is not somebody's words,
but Thumbtack's quick reply."""

OUTAGE = Fault(status=503, headers={"Retry-After": "1"})
"""Thumbtack is temporarily unavailable, and asks for a second of patience."""


def routes(slack: SlackStandIn, thumbtack: ThumbtackStandIn, channel: str) -> list[Route]:
    """The short addresses; the team writes in `channel`."""
    team, customers, house = _Team(slack, channel), _Customers(thumbtack), _House(slack, channel)
    people = [person for person in slack.workspace.people.values() if not person.is_bot]

    return [
        Route("/lead", customers.playing(customers.asks), methods=["POST"]),
        Route("/v4", customers.playing(customers.asks_by_v4), methods=["POST"]),
        Route("/app", customers.playing(customers.is_answered), methods=["POST"]),
        Route("/customer", customers.playing(customers.writes), methods=["POST"]),
        Route("/price", customers.playing(customers.is_priced), methods=["POST"]),
        Route("/review", customers.playing(customers.reviews), methods=["POST"]),
        Route("/outage", customers.outage, methods=["POST", "DELETE"]),
        *(Route(f"/{name}", house.deed(name), methods=["POST", "DELETE"]) for name in house.deeds),
        *(route for person in people for route in team.routes(person)),
    ]


class _Customers:
    """Thumbtack and the customer who came last."""

    def __init__(self, thumbtack: ThumbtackStandIn) -> None:
        self._thumbtack = thumbtack

    def playing(
        self, play: Callable[[str], Awaitable[httpx.Response | None]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that plays with the text it got, and tells what the bot answered."""

        async def endpoint(request: Request) -> Response:
            try:
                answer = await play(await _text(request))
            except LookupError as error:
                return _told(str(error), status=404)
            except httpx.TransportError:
                return _told(f"The bot does not answer at {self._thumbtack.webhook_url}.", status=502)
            if answer is None:
                return _told("Thumbtack knows; its newer API says so only when the bot asks.")
            return _told(f"Thumbtack called the bot, which answered {answer.status_code}.")

        return endpoint

    async def asks(self, _text: str) -> httpx.Response:
        return await self._thumbtack.lead()

    async def asks_by_v4(self, _text: str) -> httpx.Response:
        asked_at = v4_bodies.iso(datetime.now(UTC) - ASKED_BEFORE)
        return await self._thumbtack.v4_lead(createdAt=asked_at)

    async def writes(self, text: str) -> httpx.Response:
        lead_id, said = self._last(), text or "Are you still available?"
        if self._thumbtack.is_v4(lead_id):
            return await self._thumbtack.v4_message(lead_id, said)
        return await self._thumbtack.message(lead_id, said)

    async def is_answered(self, text: str) -> httpx.Response:
        lead_id = self._last()
        if not self._thumbtack.is_v4(lead_id):
            raise LookupError("Only the newer API tells of Thumbtack's app: POST /v4 makes a lead that it tells of.")
        return await self._thumbtack.v4_message(lead_id, text or "Yes, we can.", sender="Business")

    async def is_priced(self, text: str) -> httpx.Response | None:
        lead_id, price = self._last(), text or "$26.00"
        if self._thumbtack.is_v4(lead_id):
            self._thumbtack.v4_change(lead_id, leadPrice=price, chargeState="Charged")
            return None
        return await self._thumbtack.price(lead_id, price)

    async def reviews(self, text: str) -> httpx.Response:
        lead_id, said = self._last(), text or "Great work, would hire again."
        if self._thumbtack.is_v4(lead_id):
            return await self._thumbtack.v4_review(lead_id, 5, said)
        told = {"reviewerNickname": self._thumbtack.customer_of(lead_id)}
        return await self._thumbtack.review(lead_id, "5", said, review=told)

    async def outage(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._thumbtack.faults.clear("message")
            return _told("Thumbtack takes replies again.")
        self._thumbtack.faults.stand("message", OUTAGE)
        return _told("Thumbtack takes no replies from now on. DELETE ends it.")

    def _last(self) -> str:
        if self._thumbtack.last_lead_id is None:
            raise LookupError("There is no lead yet: POST /lead makes one.")
        return self._thumbtack.last_lead_id


class _Team:
    """The members of the workspace, in the newest thread of the bot."""

    def __init__(self, slack: SlackStandIn, channel: str) -> None:
        self._slack = slack
        self._reader = Reader(slack.workspace)
        self._channel = channel

    def routes(self, person: Person) -> list[Route]:
        """What one person sees and does."""
        member, path = Member(self._slack, person), f"/{person.name.lower()}"

        async def look(_: Request) -> Response:
            return PlainTextResponse(as_text(member.sees()), headers={"Refresh": "2"})

        deeds = {"press": member.press, "submit": member.submit, "close": member.close, "home": member.home}
        return [
            Route(path, look),
            Route(path, self.member(person), methods=["POST", "PUT", "DELETE"]),
            *(Route(f"{path}/{name}", self._doing(deed), methods=["POST"]) for name, deed in deeds.items()),
        ]

    def _doing(self, deed: Callable[[str], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return _heard(await deed(await _text(request)))
            except (LookupError, ValueError) as error:
                return _told(str(error), status=404)

        return endpoint

    def member(self, person: Person) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for what one person does."""

        async def endpoint(request: Request) -> Response:
            text = await _text(request)
            try:
                answer = await self._act(person, request.method, text)
            except (LookupError, ValueError) as error:
                return _told(str(error), status=404)
            if answer.ok:
                seen = self._seen(answer) if text.startswith("/") else []
                return _told("\n".join([f"Slack told the bot, which answered {answer.status}.", *seen]))
            return _told(f"The bot does not take it: {answer.failure}.", status=502)

        return endpoint

    async def _act(self, person: Person, method: str, text: str) -> Answer:
        match method:
            case "PUT":
                return await self._slack.edit(self._channel, self._last_words(person), text)
            case "DELETE":
                return await self._slack.delete(self._channel, self._last_words(person))
            case _:
                if not text:
                    raise ValueError("Say something: curl -d 'text' …")
                if text.startswith("/"):
                    command, _, rest = text.partition(" ")
                    return await self._slack.command(person.user_id, command, rest, channel=self._channel)
                return await self._slack.say(person.user_id, self._channel, text, thread_ts=self._newest_thread())

    def _seen(self, answer: Answer) -> list[str]:
        """What a command was answered with, and where its buttons lead: a terminal cannot press them."""
        if not answer.body:
            return []
        message = answer.json()
        links = [
            f"{self._reader.lines({'blocks': [block]})[0].plain}: {button['url']}"
            for block, button in elements(message.get("blocks", []))
            if "url" in button
        ]
        return [*(line.plain for line in self._reader.lines(message)), *links]

    def _newest_thread(self) -> str:
        parents = [one for one in self._slack.messages(self._channel) if one.get("thread_ts", one["ts"]) == one["ts"]]
        if not parents:
            raise LookupError("There is no thread yet: POST /lead opens one.")
        leads = [one for one in parents if any(_is_reply_button(button) for _, button in elements(one.get("blocks")))]
        return str((leads or parents)[-1]["ts"])

    def _last_words(self, person: Person) -> str:
        written = self._slack.workspace.channel(self._channel).messages.values()
        mine = [message["ts"] for message in written if message.get("user") == person.user_id]
        if not mine:
            raise LookupError(f"{person.name} has not written anything yet.")
        return str(mine[-1])


class _House:
    """What befalls the channel and the app."""

    def __init__(self, slack: SlackStandIn, channel: str) -> None:
        self.deeds: Mapping[str, tuple[Callable[[], Awaitable[Answer]], Callable[[], Awaitable[Answer]]]] = {
            "archive": (partial(slack.archive, channel), partial(slack.unarchive, channel)),
            "bot": (partial(slack.invite_bot, channel), partial(slack.remove_bot, channel)),
            "install": (slack.reinstall, slack.uninstall),
        }

    def deed(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that does it on POST, and the opposite on DELETE."""
        does, undoes = self.deeds[name]

        async def endpoint(request: Request) -> Response:
            try:
                return _heard(await (undoes if request.method == "DELETE" else does)())
            except ValueError:  # the bot is not there to be removed
                return _told("It is so already.", status=404)

        return endpoint


def _heard(answer: Answer) -> Response:
    """What the bot made of it; there are things that Slack tells nobody."""
    if answer.failure is not None:
        return _told(f"The bot does not take it: {answer.failure}.", status=502)
    if answer.status is None:
        return _told("Done. Slack does not tell the bot.")
    return _told(f"Slack told the bot, which answered {answer.status}.")


def _is_reply_button(button: Json) -> bool:
    """Cards of leads have it; notices to the channel, which are no threads to answer in, have not."""
    return bool(button["action_id"] == "reply_open")


async def _text(request: Request) -> str:
    return (await request.body()).decode(errors="replace").strip()


def _told(sentence: str, *, status: int = 200) -> Response:
    return PlainTextResponse(f"{sentence}\n", status)
