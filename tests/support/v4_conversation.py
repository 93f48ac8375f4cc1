"""A lead's thread where v4 tells of it, and what v4 tells beside: messages, and the echo of our own words."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from support.conversation import Conversation
from support.office import Office

from sandbox.thumbtack.v4_bodies import iso


@dataclass(frozen=True, kw_only=True)
class V4Conversation(Conversation):
    """One lead that v4 told of."""

    @classmethod
    async def begun(cls, place: Office, *, ago: timedelta = timedelta(hours=1), **overrides: Any) -> Self:
        """A lead of some time ago, whose card stands."""
        overrides = {"createdAt": iso(place.clock() - ago)} | overrides
        before = {card["ts"] for card in place.cards}
        lead_id = place.thumbtack.v4_request(**overrides)
        assert (await place.thumbtack.v4_lead(lead_id)).status_code == 200
        new = await place.seen(lambda: [card["ts"] for card in place.cards if card["ts"] not in before])
        await place.at_rest()
        return cls(place=place, lead_id=lead_id, ts=new[0])

    async def typed(self, text: str, **overrides: Any) -> None:
        """Somebody of the business writes in Thumbtack's app."""
        await self.told(text, sender="Business", **overrides)

    async def told(self, text: str, *, sender: Any = "Customer", **overrides: Any) -> None:
        answer = await self.place.thumbtack.v4_message(self.lead_id, text, sender=sender, **overrides)
        assert answer.status_code == 200
        await self.place.at_rest()

    async def echoed(self, text: str | None = None, **overrides: Any) -> None:
        """What was sent last comes back, perhaps with other ids, times or letters."""
        sent = self.place.thumbtack.sent[-1]
        said = {"messageID": sent.message_id, "sentAt": iso(sent.at)} | overrides
        await self._pushed(sent.text if text is None else text, said)

    async def _pushed(self, text: str, said: dict[str, Any]) -> None:
        data = {"negotiationID": self.lead_id, "from": "Business", "text": text, **said}
        answer = await self.place.thumbtack.v4_event("MessageCreatedV4", data)
        assert answer.status_code == 200
        await self.place.at_rest()

    @property
    def texts(self) -> list[str]:
        """The bot's lines in the thread, as people read them."""
        return [self.place.read(line) for line in self.lines]

    def shows(self, text: str) -> int:
        """In how many of the bot's lines this stands."""
        return sum(text in line for line in self.texts)

    async def looked_for(self) -> None:
        """Time passes in which a reply of unknown outcome is looked for in Thumbtack's list, three times."""
        for seconds in (6, 56, 61):
            await self.place.at_rest()
            await self.place.advance(seconds=seconds)
