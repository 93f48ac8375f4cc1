"""What was told in a soak, and what of it is lost, stands twice or stands in the wrong order afterwards."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CHECK, WARNING, CROSS = "white_check_mark", "warning", "x"
TOKEN = re.compile(r"\bjob(\d+)(?:([mrv])(\d+))?\b")
"""How every text of a soak names itself: job7 is a lead, job7m2 the third message of its customer, r a reply, v a review."""

Message = Mapping[str, Any]


@dataclass(kw_only=True)
class Job:
    """One lead and what was told of it. `replies`: Slack's ts and the text, in the order of writing."""

    number: int
    lead_id: str
    messages: int = 0
    priced: str | None = None
    reviewed: bool = False
    won: bool = False
    replies: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What stands on its card."""
        return f"job{self.number}"

    @property
    def lines(self) -> list[str]:
        """What is to stand in its thread once each, the customer's messages in this order."""
        return [f"{self.name}m{n}" for n in range(self.messages)] + ([f"{self.name}v0"] if self.reviewed else [])


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What can be seen outside: `posts` of the bot (oldest first), `marks` by ts, and what each lead's customer got."""

    posts: Sequence[Message]
    marks: Mapping[str, Sequence[str]]
    received: Mapping[str, Sequence[str]]


@dataclass(kw_only=True)
class Tally:
    """What is wrong, by name; `unknown`: replies of which the team was told that nobody knows whether they arrived."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether everything that Corkboard promises held."""
        return not (self.lost or self.twice or self.disordered or self.left)


def tally(jobs: Iterable[Job], seen: Seen) -> Tally:
    """Compare what was told with what can be seen."""
    found, stands = Tally(), _Stands(seen.posts)
    for job in jobs:
        _card_and_lines(job, stands, found)
        _replies(job, seen, found)
    return found


class _Stands:
    """The bot's posts by the names in them: its cards, and the lines of each thread in their order."""

    def __init__(self, posts: Sequence[Message]) -> None:
        self.cards: dict[str, list[str]] = {}
        self.won: set[str] = set()
        self.lines: dict[str, list[str]] = {}
        self.charges: Counter[str] = Counter()
        self.everywhere: Counter[str] = Counter()
        for post in posts:
            self._add(post)

    def _add(self, post: Message) -> None:
        thread, text = post.get("thread_ts", post["ts"]), str(post["text"])
        if text.startswith("Lead cost"):
            self.charges[thread] += 1
        token = TOKEN.search(text)
        if token is None:
            return
        if token[2] is None and thread == post["ts"]:
            self.cards.setdefault(token[0], []).append(thread)
            if "trophy" in str(post.get("blocks")):
                self.won.add(thread)
        elif token[2] in ("m", "v"):
            self.lines.setdefault(thread, []).append(token[0])
            self.everywhere[token[0]] += 1


def _card_and_lines(job: Job, stands: _Stands, found: Tally) -> None:
    cards = stands.cards.get(job.name, [])
    if not cards:
        found.lost.append(job.name)
        return
    found.twice += [job.name] * (len(cards) - 1)
    found.lost += [f"{job.name}: that it was won"] * (job.won and cards[0] not in stands.won)
    there = stands.lines.get(cards[0], [])
    found.lost += [line for line in job.lines if line not in there]
    found.twice += [line for line in job.lines if stands.everywhere[line] > 1]
    said = [int(token[3]) for token in map(TOKEN.fullmatch, there) if token and token[2] == "m"]
    if said != sorted(said):
        found.disordered.append(f"{job.name}: its customer's messages {said}")
    if job.priced is not None and stands.charges[cards[0]] != 1:
        (found.twice if stands.charges[cards[0]] else found.lost).append(f"{job.name}: its price")


def _replies(job: Job, seen: Seen, found: Tally) -> None:
    received = list(seen.received.get(job.lead_id, ()))
    written = [text for _, text in job.replies]
    for ts, text in job.replies:
        mark = list(seen.marks.get(ts, ()))
        found.twice += [text] * (received.count(text) > 1)
        if mark == [WARNING]:
            found.unknown.append(text)
        elif text not in received or mark != [CHECK]:
            found.lost.append(f"{text}: {', '.join(mark) or 'no mark'}")
    order = [written.index(text) for text in received if text in written]
    if order != sorted(order):
        found.disordered.append(f"{job.name}: its replies {order}")
    found.left += [note for note in job.notes if note in received]


def rows(tallied: Tally, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The table: what was done, and what came of it."""
    yield from facts.items()
    yield "lost", str(len(tallied.lost))
    yield "twice", str(len(tallied.twice))
    yield "out of order", str(len(tallied.disordered))
    yield "notes that left the team", str(len(tallied.left))
    yield "replies whose outcome nobody can know, and said so", str(len(tallied.unknown))
