"""The window that shows a private lead, or a private review, to who opened it: everything, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks import leads, reviews
from bot.blocks.kit import LARGEST, Block, Element, actions, button, moment, person, plain, section, size, words
from bot.blocks.lead_view import LeadView, RepliesGo
from bot.blocks.messages import linked
from bot.blocks.mrkdwn import visible
from bot.blocks.pieces import Piece, laid_out, of_text, pack
from bot.blocks.posts import Post
from bot.blocks.reading import row_id
from bot.plaintext import to_plain
from storage.models import Direction, Message, ReplyState, Review
from webhooks.thumbtack.facts import Sender

MESSAGES = 50
"""How many of the last messages are shown."""

CALLBACK = "reveal_window"
NEXT, BACK = "reveal_next", "reveal_back"

_ROOM = LARGEST - 1_000  # beside a page stand its buttons
_ON_ITS_WAY = frozenset({ReplyState.HELD, ReplyState.WAITING, ReplyState.SENDING})
_NOT_KNOWN = frozenset({ReplyState.LOOKING, ReplyState.UNKNOWN})


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a window is about, as it carries it: a lead, or a review of none."""

    lead_id: int = 0
    review_id: int = 0

    def __str__(self) -> str:
        """The window's private_metadata: our own ids alone."""
        return f"{self.lead_id}:{self.review_id}"


def opened_of(metadata: object) -> Opened:
    """What a window that is open is about; ids that are no row's for what is not ours."""
    lead_id, _, review_id = str(metadata or "").partition(":")
    return Opened(lead_id=row_id(lead_id), review_id=row_id(review_id))


def lead_window(
    view: LeadView, *, messages: Sequence[Message], reviews_: Sequence[Review] = (), page: int = 1
) -> dict[str, Any]:
    """A lead with the last messages, the newest first, then what the customer told at first, files and reviews."""
    glance, rest = leads.everything(view)
    if view.replies in (RepliesGo.OUT, RepliesGo.QUIET):
        glance.append(actions([button("reply_open", "Reply", view.lead.id or 0, style="primary")]))
    pieces = [
        *_conversation(messages, view),
        *_titled("The request", rest),
        *_files("Files of the request", view.lead.attachments),
        *(piece for one in reviews_ for piece in _review(one)),
    ]
    return _window("Lead", Opened(lead_id=view.lead.id or 0), _pages(glance, pieces), page)


def review_window(review: Review, *, page: int = 1) -> dict[str, Any]:
    """A review that belongs to no lead."""
    return _window("Review", Opened(review_id=review.id or 0), _pages([], list(_review(review))), page)


def closed(told: Post) -> dict[str, Any]:
    """In place of what was open: why it is shown no more."""
    return _window("Lead", Opened(), [told.blocks], 1)


def did_not_open() -> Post:
    """For who pressed Open, where Slack did not show the window: it must come within 3 s of the press."""
    return _told("The window did not open in time. Press the button again.")


def not_a_member() -> Post:
    """Who is not in the channel sees nothing of its leads, also where Slack lets them look into it."""
    return _told("Only people who are in this channel can open its leads. Join it, then press Open again.")


def not_here() -> Post:
    """The lead stands in another channel by now."""
    return _told("This lead stands in another channel now. Open it there.")


def not_asked() -> Post:
    """Slack did not say who somebody is."""
    return _told("Slack did not answer whether you may open this. Press Open again in a moment.")


def for_members_only() -> Post:
    """Guests, and people of other companies."""
    return _told("Guests and people of other companies cannot open private leads. Ask a keeper to allow you.")


def _told(text: str) -> Post:
    return Post(text=text, blocks=[section(text)])


def _pages(glance: list[Block], pieces: list[Piece]) -> list[list[Block]]:
    """What is known at a glance stands on the first page."""
    taken, left = pack(pieces, _ROOM - size(glance))
    pages = [[*glance, *([laid_out(taken)] if taken else [])]]
    while left:
        taken, left = pack(left, _ROOM)
        pages.append([laid_out(taken)])
    return pages


def _window(title: str, about: Opened, pages: Sequence[list[Block]], page: int) -> dict[str, Any]:
    shown = min(max(page, 1), len(pages))
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": str(about),
        "title": plain(title),
        "close": plain("Close"),
        "blocks": [*pages[shown - 1], *_turning(shown, len(pages))],
    }


def _turning(shown: int, count: int) -> list[Block]:
    back = [button(BACK, "Back", shown - 1)] if shown > 1 else []
    more = [button(NEXT, f"More ({shown + 1} of {count})", shown + 1)] if shown < count else []
    return [actions([*back, *more])] if count > 1 else []


def _titled(title: str, pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces under a bold line, with a gap above; nothing where there are none."""
    return [_line(words(" ")), _line(words(title, bold=True)), *pieces] if pieces else []


def _line(*inline: Element) -> Piece:
    return Piece(inline=inline)


def _files(title: str, attachments: Sequence[dict[str, Any]]) -> list[Piece]:
    return _titled(title, [_line(*linked(one)) for one in attachments])


def _conversation(messages: Sequence[Message], view: LeadView) -> list[Piece]:
    told = [piece for one in messages for piece in _message(one, view)]
    more = [_line(words("Older messages are in Thumbtack."))] if len(messages) >= MESSAGES else []
    return _titled("Messages, the newest first", [*told, *more])


def _message(message: Message, view: LeadView) -> Iterator[Piece]:
    """Who said it and when, then what."""
    who, text = _who(message, view), message.text
    when = moment(message.sent_at or message.stored_at)
    if message.direction == Direction.OUTBOUND:
        text = message.sent_text or (text if message.view_id else to_plain(text, message.blocks, {}))
    yield _line(*who, words(" · "), when, *([words(f" · {doubt}")] if (doubt := _doubt(message)) else []))
    said = of_text(text, quoted=True)
    yield from said
    yield from (_line(*linked(one)) for one in message.attachments)
    if not said and not message.attachments:
        yield _line(words("(no text)"))


def _who(message: Message, view: LeadView) -> list[Element]:
    if message.direction == Direction.OUTBOUND:
        return [person(message.author)] if message.author else [words("Automatic reply", bold=True)]
    if message.author == Sender.BUSINESS:
        return [words(view.business_name or "Somebody of the business", bold=True), words(", in Thumbtack")]
    return [words(view.name or "The customer", bold=True)]


def _doubt(message: Message) -> str | None:
    """What a reply is that the customer does not have for certain."""
    if message.direction != Direction.OUTBOUND or message.state == ReplyState.DELIVERED:
        return None
    if message.state in _ON_ITS_WAY:
        return "on its way"
    return "not known to have arrived" if message.state in _NOT_KNOWN else "not delivered"


def _review(review: Review) -> Iterator[Piece]:
    who = visible(review.reviewer_name) or "name not given"
    rating = reviews.stars(review.rating) or visible(review.rating) or "no rating"
    text = of_text(review.text, quoted=True) or [_line(words("(no text)"))]
    yield from _titled(f"Review: {rating} · {who}", text)
    yield from (_line(*linked(one)) for one in review.photos)
