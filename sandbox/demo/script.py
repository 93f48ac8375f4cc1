"""The play: what happens between a customer and a team in an hour, in seconds, with every outcome checked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.demo.promises import hold, until
from sandbox.outside import CHANNEL, Outside
from sandbox.shortcuts import ASKED_BEFORE, OUTAGE
from sandbox.slack.block_kit import elements
from sandbox.thumbtack import v4_bodies
from sandbox.thumbtack.bodies import BUSINESS_ID, BUSINESS_NAME

Json = dict[str, Any]

ANA, BEN, OLGA = "U0ANA", "U0BEN", "U0OLGA"
HELD, DELIVERED, KEPT = "hourglass_flowing_sand", "white_check_mark", "memo"

QUESTION = "Do you bring your own ladder?"
FIRST_WORDS = "Yes, we do. We can be there at 10."
ANSWER = "Yes, we do. We can be there at 9."
NOTE = "note: the van's key is with Sam"
BEN_ANSWERS = "I can bring the long ladder."
ON_THE_WAY = "On our way, see you in 20 minutes :wave:"
ON_THE_WAY_RECEIVED = "On our way, see you in 20 minutes 👋"
DOOR = "Great, the front door is open."
PRAISE = "On time, tidy, and the door looks new."
COST = "$26.00"
MAYA, TESSA = "Maya Alvarez", "Tessa Lindqvist"
TESSA_ASKS = "Do you also repair gutters?"
TESSA_WANTS = "Gutter Cleaning and Maintenance"
IN_THE_APP = "We do, I will bring brackets."
QUOTE = "That is $40 on top of the cleaning."
AGREED = "Sounds fair, see you then!"
AMONG_US = "She sounds nice, and it is a big house."
MEANT = "send: We bring the brackets on Friday."
MEANT_RECEIVED = "We bring the brackets on Friday."
TESSA_ASKS_AGAIN = "Friday is bad. Can you come on Saturday?"
A_QUARTER = timedelta(minutes=15)
"""After so long without an answer, the people on duty are called."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happens: its name, what there is to tell when it went well, and how it is played."""

    name: str
    tells: str
    play: Callable[[], Awaitable[None]]


class Script:
    """The steps, in order, between the stand-ins and a bot that listens already."""

    def __init__(self, outside: Outside, put_forward: Callable[[timedelta], None]) -> None:
        """`put_forward` lets the bot's clock go forward."""
        self._put_forward = put_forward
        self._slack = outside.slack
        self._thumbtack = outside.thumbtack
        self._lead_id = ""
        self._card_ts = ""
        self._ana_ts = ""
        self._ben_note_ts = ""
        self._ben_ts = ""
        self._way_ts = ""
        self._tessa_id = ""
        self._tessa_ts = ""
        self._quote_ts = ""
        self._among_us_ts = ""
        self._meant_ts = ""
        self.steps = (
            Step(name="Connect", tells="Olga connects the business: one command, one page.", play=self.connect),
            Step(name="Lead", tells="Maya asks for painting, with 2 photos: her card is in #leads.", play=self.lead),
            Step(name="Claim", tells="Ana taps “I've got it”. Her name is on the card now.", play=self.claim),
            Step(name="Message", tells="She asks about a ladder. It is in her card's thread.", play=self.message),
            Step(
                name="Reply", tells="Ana answers, and edits it while it is held: Maya gets the edit.", play=self.reply
            ),
            Step(name="Note", tells="Ben writes “note: …”. It stays inside.", play=self.note),
            Step(name="Second", tells="Ben answers, too. He is asked first: Maya is Ana's.", play=self.second),
            Step(name="Price", tells="Thumbtack charges $26.00. Card and thread say so.", play=self.price),
            Step(
                name="Outage", tells="Thumbtack is down: Ana's reply waits, Maya's words still come.", play=self.outage
            ),
            Step(
                name="Recovery",
                tells="Thumbtack is back, our token is old: renewed; the reply goes.",
                play=self.recovery,
            ),
            Step(name="Review", tells="Maya gives 5 stars. The whole channel sees them.", play=self.review),
            Step(
                name="New API",
                tells="Olga connects Thumbtack's newer API: leads come by it, too.",
                play=self.connect_v4,
            ),
            Step(name="Early", tells="Tessa's question comes before her request: it is one thread.", play=self.early),
            Step(name="App", tells="Ben answers in Thumbtack's app. Her thread shows that, too.", play=self.app),
            Step(name="Echo", tells="Ana replies. Thumbtack tells us our own words: said once.", play=self.echo),
            Step(name="Quiet", tells="Olga makes #leads quiet: only “send: …” goes out now.", play=self.quiet),
            Step(
                name="Reminder",
                tells="Tessa waits 15 minutes (the clock jumps): the crew is called.",
                play=self.reminder,
            ),
            Step(name="Pause", tells="The crew is full: Olga stops new leads for 2 hours.", play=self.pause),
            Step(name="Resume", tells="Olga undoes both: leads come, and replies go out again.", play=self.resume),
        )

    async def connect(self) -> None:
        """The owner lets Corkboard work for the business, as a person does it: in Slack, and in a browser."""
        await self._connect("Messages, targeting")
        await self._in_channel("the channel hears that the business is connected", f"{BUSINESS_NAME} is connected")

    async def connect_v4(self) -> None:
        """Likewise with Thumbtack's newer API; Corkboard makes its webhook there itself."""
        await self._connect("Leads, messages, phones")
        await until(lambda: self._thumbtack.subscriptions.of(BUSINESS_ID), "a webhook is made at Thumbtack")

    async def _connect(self, goes_for: str) -> None:
        """One command, and the page behind its link for what it goes for."""
        asked = await self._slack.command(OLGA, "/thumbtack", "connect")
        hold(asked.ok, f"The bot answered the command with {asked.status} {asked.failure or ''}")
        link = await until(lambda: self._link(goes_for), "Olga is offered a link to connect")
        async with httpx.AsyncClient(trust_env=False) as browser:
            leaving = await browser.get(link)
            hold(leaving.is_redirect, f"The link was answered with {leaving.status_code}")
            back = await self._thumbtack.consent(leaving.headers["location"], businesses=[BUSINESS_ID])
            page = await browser.get(back)
        hold(page.status_code == 200, f"The way back from Thumbtack was answered with {page.status_code}")

    def _link(self, goes_for: str) -> str:
        """Where the button for one of Thumbtack's APIs leads."""
        for block in self._slack.ephemerals(OLGA)[-1]["blocks"]:
            if goes_for in str(block) and "accessory" in block:
                return str(block["accessory"]["url"])
        raise LookupError

    async def pause(self) -> None:
        """Nobody has time for more."""
        await self._slack.command(OLGA, "/thumbtack", "pause for 2h")
        await until(lambda: self._thumbtack.targeting[BUSINESS_ID, None] is False, "Thumbtack stops new leads")
        await until(lambda: "paused" in str(self._slack.ephemerals(OLGA)[-1]).lower(), "Olga hears that it is done")

    async def resume(self) -> None:
        """There is time again, and whoever watched goes on from here: leads come, and what is written goes out."""
        await self._slack.command(OLGA, "/thumbtack", "resume")
        await until(lambda: self._thumbtack.targeting[BUSINESS_ID, None], "Thumbtack sends new leads again")
        await self._set_reply_mode("replies")
        await until(lambda: not any(map(self._is_quiet, (MAYA, TESSA))), "the cards say that replies go out")

    async def lead(self) -> None:
        """A customer asks, with photos."""
        day = datetime.now(UTC) + timedelta(days=4)
        answer = await self._thumbtack.lead(
            request={
                "schedule": f"Date: {day:%a, %b %d %Y}\nTime: 9:00 AM\nLength: 3.5 hours",
                "attachments": [_photo("door.jpg", "The stain"), _photo("room.jpg", "The room upstairs")],
            }
        )
        hold(answer.status_code == 200, f"The bot answered the lead with {answer.status_code}: {answer.text}")
        self._lead_id = self._thumbtack.last_lead_id or ""
        self._card_ts = (await until(lambda: self._cards(MAYA)[0], "the lead's card stands in #leads"))["ts"]
        await self._in_thread("the photos are in the thread", "The stain", "The room upstairs")

    async def claim(self) -> None:
        """Somebody takes the lead, with one tap on the phone."""
        await self._press(ANA, "lead_claim", ts=self._card_ts)
        await until(lambda: ANA in str(self._cards(MAYA)[0]["blocks"]), "the card says that Ana has the lead")

    async def message(self) -> None:
        """The customer writes."""
        answer = await self._thumbtack.message(self._lead_id, QUESTION)
        hold(answer.status_code == 200, f"The bot answered the message with {answer.status_code}: {answer.text}")
        await self._in_thread("the customer's question is in the thread", QUESTION)

    async def reply(self) -> None:
        """Somebody answers, sees a mistake, and corrects it before it goes out."""
        said = await self._slack.say(ANA, CHANNEL, FIRST_WORDS, thread_ts=self._card_ts)
        hold(said.status == 200, f"The bot answered Slack with {said.status} {said.failure or ''}")
        self._ana_ts = said.ts or ""
        await self._marked(self._ana_ts, HELD)
        await self._slack.edit(CHANNEL, self._ana_ts, ANSWER)
        hold(not self._received, f"It went out before the hold was over: {self._received}")
        await self._marked(self._ana_ts, DELIVERED)
        hold(self._received == [ANSWER], f"The customer received {self._received}, not only {ANSWER!r}")

    async def note(self) -> None:
        """Somebody writes something for the team."""
        said = await self._slack.say(BEN, CHANNEL, NOTE, thread_ts=self._card_ts)
        self._ben_note_ts = said.ts or ""
        await self._marked(self._ben_note_ts, KEPT)

    async def second(self) -> None:
        """Somebody else answers; they may have missed that the lead is taken."""
        said = await self._slack.say(BEN, CHANNEL, BEN_ANSWERS, thread_ts=self._card_ts)
        self._ben_ts = said.ts or ""
        await self._marked(self._ben_ts, HELD)
        await self._press(BEN, "reply_send")
        await self._marked(self._ben_ts, DELIVERED)

    async def price(self) -> None:
        """Thumbtack says what the lead costs."""
        answer = await self._thumbtack.price(self._lead_id, COST)
        hold(answer.status_code == 200, f"The bot answered the price with {answer.status_code}: {answer.text}")
        await self._in_thread("the thread tells what the lead costs", COST)
        await until(lambda: COST in str(self._cards(MAYA)[0]["blocks"]), "the card shows what the lead costs")

    async def outage(self) -> None:
        """Thumbtack takes no replies; somebody is in a hurry, and the customer writes."""
        self._thumbtack.faults.stand("message", OUTAGE)
        self._way_ts = await self._say_now(ANA, ON_THE_WAY, ts=self._card_ts)
        await until(lambda: self._thumbtack.faults.happened["message"], "Ana's reply is tried")
        await self._thumbtack.message(self._lead_id, DOOR)
        await self._in_thread("what the customer says during the outage is in the thread", DOOR)
        await self._marked(self._way_ts, HELD)
        hold(self._received == [ANSWER, BEN_ANSWERS], f"The customer received {self._received} during the outage")

    async def recovery(self) -> None:
        """Thumbtack takes replies again, but not with the token we have."""
        self._thumbtack.grants.expire_access_tokens()
        self._thumbtack.faults.clear()
        await self._marked(self._way_ts, DELIVERED)

    async def review(self) -> None:
        """The customer is content."""
        answer = await self._thumbtack.review(self._lead_id, "5", PRAISE)
        hold(answer.status_code == 200, f"The bot answered the review with {answer.status_code}: {answer.text}")
        await self._in_thread("the review is in the thread", PRAISE)
        shown = [message for message in self._slack.messages(CHANNEL) if PRAISE in str(message["blocks"])]
        hold(len(shown) == 1, "The review is not shown in the channel")

    async def early(self) -> None:
        """Thumbtack's newer API tells of a question first, and then of the request that it belongs to."""
        self._tessa_id = self._thumbtack.v4_request(createdAt=v4_bodies.iso(datetime.now(UTC) - ASKED_BEFORE))
        question = await self._thumbtack.v4_message(self._tessa_id, TESSA_ASKS)
        request = await self._thumbtack.v4_lead(self._tessa_id)
        for answer in (question, request):
            hold(answer.status_code == 200, f"The bot answered with {answer.status_code}: {answer.text}")
        self._tessa_ts = await until(self._asked_by_tessa, "her question is in a thread")
        await until(lambda: TESSA_WANTS in str(self._cards(TESSA)[0]["blocks"]), "the card shows what she wants")

    def _asked_by_tessa(self) -> str:
        """The thread in which her question stands."""
        heard = [one for one in self._slack.messages(CHANNEL) if TESSA_ASKS in str(one["blocks"])]
        return str(heard[0]["thread_ts"])

    async def app(self) -> None:
        """Somebody of the team is on the road, and answers in Thumbtack's own app."""
        answer = await self._thumbtack.v4_message(self._tessa_id, IN_THE_APP, sender="Business")
        hold(answer.status_code == 200, f"The bot answered the message with {answer.status_code}: {answer.text}")
        await self._in_thread("what was typed in the app is in her thread", IN_THE_APP, ts=self._tessa_ts)

    async def echo(self) -> None:
        """A reply goes out; Thumbtack tells of it as of any message of the business, and then the customer writes."""
        self._quote_ts = await self._say_now(ANA, QUOTE, ts=self._tessa_ts)
        await self._marked(self._quote_ts, DELIVERED)
        await until(lambda: self._thumbtack.v4.echoed, "Thumbtack tells of our own reply")
        await self._thumbtack.v4_message(self._tessa_id, AGREED)
        await self._in_thread("what the customer says to that is in her thread", AGREED, ts=self._tessa_ts)

    async def quiet(self) -> None:
        """A team that talks a lot wants nothing to go out by mistake."""
        await self._set_reply_mode("quiet")
        await until(lambda: self._is_quiet(TESSA), "the cards say that the channel is quiet")
        said = await self._slack.say(ANA, CHANNEL, AMONG_US, thread_ts=self._tessa_ts)
        self._among_us_ts = said.ts or ""
        await self._marked(self._among_us_ts, KEPT)
        self._meant_ts = await self._say_now(ANA, MEANT, ts=self._tessa_ts)
        await self._marked(self._meant_ts, DELIVERED)

    async def _set_reply_mode(self, mode: str) -> None:
        """The admin chooses in her settings what goes out of the channel."""
        await self._slack.command(OLGA, "/thumbtack", "settings")
        await self._slack.press_in_view(OLGA, "settings_channel")
        await self._slack.submit(OLGA, {"reply_mode": mode})
        while self._slack.views(OLGA):
            await self._slack.close_view(OLGA)

    def _is_quiet(self, name: str) -> bool:
        return "send:" in str(self._cards(name)[0]["blocks"])

    async def reminder(self) -> None:
        """The customer writes, and nobody sees it."""
        await self._thumbtack.v4_message(self._tessa_id, TESSA_ASKS_AGAIN)
        await self._in_thread("what the customer asks is in her thread", TESSA_ASKS_AGAIN, ts=self._tessa_ts)
        self._put_forward(A_QUARTER)
        await self._in_thread("those who have the lead are called", "was not answered", ts=self._tessa_ts)

    def check(self) -> None:
        """What must be true at the end: everything once, in order, with one mark each. Raises NotHeldError."""
        to_maya = [(text, "v2") for text in (ANSWER, BEN_ANSWERS, ON_THE_WAY_RECEIVED)]
        wanted = [*to_maya, (QUOTE, "v4"), (MEANT_RECEIVED, "v4")]  # each by the API that told of its lead
        sent = [(one.text, one.via) for one in self._thumbtack.sent]
        hold(sent == wanted, f"Customers received {sent}, not {wanted}")
        went = (self._ana_ts, self._ben_ts, self._way_ts, self._quote_ts, self._meant_ts)
        marked = dict.fromkeys(went, DELIVERED) | dict.fromkeys((self._ben_note_ts, self._among_us_ts), KEPT)
        for ts, mark in marked.items():
            hold(self._marks(ts) == [mark], f"A message carries {self._marks(ts)}, not {mark} alone")
        self._check_thread(MAYA, self._card_ts, "The stain", QUESTION, COST, DOOR, PRAISE)
        self._check_thread(TESSA, self._tessa_ts, TESSA_ASKS, IN_THE_APP, AGREED, TESSA_ASKS_AGAIN)
        hold(QUOTE not in str(self._of_the_bot(self._tessa_ts)), "What Ana wrote to Tessa was posted again")
        hold(not self._thumbtack.grants.misused, "A refresh token was used twice")

    def _check_thread(self, name: str, ts: str, *texts: str) -> None:
        """One customer has one card, and everything stands once in its thread."""
        cards, thread = [one["ts"] for one in self._cards(name)], self._of_the_bot(ts)
        hold(cards == [ts], f"{name} has {len(cards)} cards instead of the one with her thread")
        for text in texts:
            count = sum(text in str(message["blocks"]) for message in thread)
            hold(count == 1, f"“{text}” stands {count} times in the thread")
        ids = [message["metadata"]["event_payload"]["delivery_id"] for message in thread]
        hold(len(ids) == len(set(ids)), "Something was posted twice")

    @property
    def _received(self) -> list[str]:
        return self._thumbtack.received(self._lead_id)

    def _cards(self, name: str) -> list[Json]:
        """The cards of a customer."""
        parents = [one for one in self._slack.messages(CHANNEL) if one.get("thread_ts", one["ts"]) == one["ts"]]
        return [one for one in parents if name in str(one["blocks"])]

    def _of_the_bot(self, ts: str) -> list[Json]:
        """What the bot wrote in a thread, without the card."""
        return [one for one in self._slack.thread(CHANNEL, ts)[1:] if one.get("bot_id")]

    def _marks(self, ts: str) -> list[str]:
        return list(self._slack.reactions(CHANNEL, ts))

    async def _in_thread(self, promise: str, *texts: str, ts: str | None = None) -> None:
        """Wait for texts in the thread of a card, Maya's unless said otherwise."""

        def stands() -> bool:
            thread = str([message["blocks"] for message in self._of_the_bot(ts or self._card_ts)])
            return all(text in thread for text in texts)

        await until(stands, promise)

    async def _in_channel(self, promise: str, text: str) -> None:
        await until(lambda: any(text in one["text"] for one in self._slack.messages(CHANNEL)), promise)

    async def _say_now(self, person: str, text: str, *, ts: str) -> str:
        """Somebody writes in a thread, and does not want to wait until it cannot be changed any more; its ts."""
        before = len(self._slack.ephemerals(person))
        said = await self._slack.say(person, CHANNEL, text, thread_ts=ts)
        await self._press(person, "reply_send_now", after=before)
        return said.ts or ""

    async def _press(self, person: str, action_id: str, *, ts: str | None = None, after: int = 0) -> None:
        """Somebody presses a button of a message (`ts`), or of what only they see, as soon as it is there.

        `after`: how much of that is of before.
        """

        def offered() -> str:
            shown = self._slack.ephemerals(person)[after:] if ts is None else [self._slack.message(CHANNEL, ts)]
            with_it = [one["ts"] for one in shown if any(is_meant(button) for _, button in elements(one.get("blocks")))]
            return str(with_it[-1])

        def is_meant(button: Json) -> bool:
            return bool(button["action_id"] == action_id)

        pressed = await until(offered, f"{person} can press {action_id}")
        answer = await self._slack.press(person, CHANNEL, pressed, action_id)
        hold(answer.ok, f"The bot answered {action_id} with {answer.status} {answer.failure or ''}")

    async def _marked(self, ts: str, mark: str) -> None:
        await until(lambda: self._marks(ts) == [mark], f"the message carries {mark} alone")


def _photo(name: str, description: str) -> Json:
    address = f"https://www.thumbtack.com/attachment/00000000000000000000000000000000000000a1/{name}"
    return {"fileName": name, "fileSize": 113900, "mimeType": "image/jpeg", "url": address, "description": description}
