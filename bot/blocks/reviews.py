"""A customer's review, in its lead's thread or in a post of its own."""

from collections.abc import Sequence

from bot.blocks.kit import LARGEST, Block, Element, icon, line, lines, link, rich, small, small_plain, words
from bot.blocks.messages import counted
from bot.blocks.mrkdwn import date, escape, shorten, visible
from bot.blocks.pieces import Piece, laid_out, of_text, pack
from bot.blocks.posts import Post
from storage.models import Review

_NAME = 100
_NOTIFIED = 300


def review(
    review: Review, *, business_name: str | None, customer_name: str | None = None, answer_url: str | None = None
) -> list[Post]:
    """A review with its stars first, in as many posts as its text needs.

    `customer_name` is the lead's customer, whom the reviewer's nickname may hide. Where there is a lead, the first post
    is shown in the channel too, so that everybody sees the stars. Photos are posts of `messages.photos`. `answer_url` is
    Thumbtack's page where it can be answered.
    """
    left = of_text(review.text, quoted=True)
    parts: list[list[Piece]] = []
    while left:
        taken, left = pack(left, LARGEST - 2_500)
        parts.append(taken)
    first, *others = parts or [[]]
    who = _reviewer(review, customer_name)
    title = f"{_rating(review.rating)} · {who}"
    said = "".join(element["text"] for piece in first for element in piece.inline)
    text = f"New review: {title}" + (f": {shorten(said, _NOTIFIED)}" if said else "")
    blocks = [_head(review, title), *([laid_out(first)] if first else []), *_foot(review, business_name)]
    if answer_url:
        blocks.append(rich(line(link(answer_url, "Answer it in Thumbtack"))))
    more = [_more(who, part) for part in others]
    return [Post(text=escape(text), blocks=blocks, broadcast=review.lead_id is not None), *more]


def stars(rating: str | None) -> str | None:
    """`★★★★☆` for a whole number from 1 to 5; None for anything else."""
    digits = (rating or "").strip()
    return "★" * int(digits) + "☆" * (5 - int(digits)) if digits in {"1", "2", "3", "4", "5"} else None


def _rating(rating: str | None) -> str:
    shown = stars(rating)
    if rating and shown:
        return f"{shown} {rating.strip()} of 5"
    odd = visible(rating)
    return f"Rating {shorten(odd, 40)}" if odd else "No rating"


def _reviewer(review: Review, customer_name: str | None) -> str:
    nickname, name = visible(review.reviewer_name), visible(customer_name)
    if nickname and name and nickname != name:
        return f"{shorten(nickname, _NAME)} ({shorten(name, _NAME)})"
    return shorten(nickname or name or "name not given", _NAME)


def _head(review: Review, title: str) -> Block:
    rows: list[Sequence[Element]] = [[icon("star2"), words(f" {title}", bold=True)]]
    if not visible(review.text):
        rows.append([words("(no text)")])
    return rich(lines(*rows))


def _foot(review: Review, business_name: str | None) -> list[Block]:
    verified = {True: "Verified by Thumbtack", False: "Not verified", None: None}[review.verified]
    business = visible(business_name)
    parts = [verified, business and shorten(business, _NAME), _photos(review)]
    told = " · ".join(part for part in parts if part)
    return ([small_plain(told)] if told else []) + _dates(review)


def _photos(review: Review) -> str | None:
    return f"{counted(review.photos)} below" if review.photos else None


def _dates(review: Review) -> list[Block]:
    written = [f"Written {date(review.created_at)}"] if review.created_at else []
    if review.modified_at and review.created_at != review.modified_at:
        written.append(f"changed {date(review.modified_at)}")
    return [small(", ".join(written))] if written else []


def _more(who: str, part: list[Piece]) -> Post:
    title = f"More of the review of {who}"
    return Post(text=escape(title), blocks=[rich(line(words(title, bold=True))), laid_out(part)])
