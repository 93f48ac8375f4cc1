"""What a customer says in a lead's thread, and the photos and files that come with it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from bot.blocks.kit import LARGEST, Block, Element, bell, icon, image, lines, link, rich, size, words
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.pieces import Piece, laid_out, of_text, pack
from bot.blocks.posts import Post
from webhooks.thumbtack.facts import Sender

PHOTOS_IN_A_POST = 5
"""One picture that Slack cannot fetch costs the whole post, so few stand in one."""

_LINKS_IN_A_POST = 15
_NAME = 80
_NOTIFIED = 300  # characters of a message that a notification needs

# What Slack's image block shows (https://docs.slack.dev/reference/block-kit/blocks/image-block). WebP and the HEIC of
# phones are refused, and with them the whole message, so they are linked at once.
_SHOWN_TYPES = {"image/png", "image/jpeg", "image/jpg", "image/pjpeg", "image/gif"}
_SHOWN_ENDINGS = (".png", ".jpg", ".jpeg", ".gif")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:[/?#][!-;=?-~]*)?")
_LONGEST_URL = 3_000  # Slack's limit for image_url and for links

Attachment = Mapping[str, Any]


class Spoken(Protocol):
    """A message from Thumbtack, as far as it is shown."""

    @property
    def author(self) -> str | None:
        """Whose side wrote it (see `webhooks.thumbtack.facts.Sender`)."""

    @property
    def text(self) -> str | None:
        """What was written."""

    @property
    def attachments(self) -> Sequence[Attachment]:
        """What came with it."""


def customer_message(message: Spoken, *, name: str | None, mention: tuple[str, ...], broadcast: bool) -> list[Post]:
    """A message from Thumbtack, in as many posts as its text needs.

    `name` is its writer: the customer, or the business where somebody answered in Thumbtack itself. Only the first post
    mentions people (`mention`: user and group ids) and is shown in the channel (`broadcast`).
    """
    who = shorten(visible(name) or _nobody(message), _NAME)
    ring = bell(mention)
    said = list(_posts_of(of_text(message.text), LARGEST - size(ring) - 900)) or [[]]
    return [
        Post(
            text=_notification(who, taken, message.attachments, number),
            blocks=[_spoken(message, who, taken, (number, len(said))), *(ring if number == 1 else [])],
            broadcast=broadcast and number == 1,
        )
        for number, taken in enumerate(said, start=1)
    ]


def _nobody(message: Spoken) -> str:
    return "Somebody of the business" if message.author == Sender.BUSINESS else "The customer"


def _posts_of(pieces: list[Piece], room: int) -> Iterator[list[Piece]]:
    while pieces:
        taken, pieces = pack(pieces, room)
        yield taken


def _notification(who: str, taken: Sequence[Piece], attachments: Sequence[Attachment], number: int) -> str:
    text = "".join(element["text"] for piece in taken for element in piece.inline)
    if not text:
        return escape(f"{who} sent {counted(attachments)}" if attachments else f"{who} sent an empty message")
    return escape(f"{who}{' (more)' if number > 1 else ''}: {shorten(text, _NOTIFIED)}")


def _spoken(message: Spoken, who: str, taken: Sequence[Piece], part: tuple[int, int]) -> Block:
    """Who said it, what was said, and what came with it, as one block."""
    number, of = part
    from_business = message.author == Sender.BUSINESS
    opening = [icon("outbox_tray" if from_business else "speech_balloon"), words(" "), words(who, bold=True)]
    if from_business:
        opening.append(words(", in Thumbtack"))
    if of > 1:
        opening.append(words(f" ({number} of {of})"))
    rows: list[Sequence[Element]] = [opening]
    if taken:
        rows.append(laid_out(taken)["elements"][0]["elements"])
    elif not message.attachments:
        rows.append([words("(no text)")])
    if message.attachments and number == of:
        rows.append([icon("paperclip"), words(f" {counted(message.attachments)} below")])
    return rich(lines(*rows))


def is_image(attachment: Attachment) -> bool:
    """Whether Slack can show it as a picture: an https address of a PNG, JPEG or GIF."""
    url = _url(attachment)
    if not _is_url(url) or not url.startswith("https://"):
        return False
    kind = str(attachment.get("mime_type") or "").partition(";")[0].strip().casefold()
    return kind in _SHOWN_TYPES if kind else urlsplit(url).path.casefold().endswith(_SHOWN_ENDINGS)


def counted(attachments: Sequence[Attachment]) -> str:
    """How many photos and files there are, in words: `2 photos and 1 file`."""
    photos = sum(str(a.get("mime_type") or "").casefold().startswith("image/") or is_image(a) for a in attachments)
    files = len(attachments) - photos
    told = [f"{n} {word if n == 1 else word + 's'}" for n, word in ((photos, "photo"), (files, "file")) if n]
    return " and ".join(told) or "nothing"


def photos(attachments: Iterable[Attachment], title: str) -> list[Post]:
    """The pictures among the attachments, a few in each post; `title` says whose they are."""
    shown = [attachment for attachment in attachments if is_image(attachment)]
    return [
        Post(text=escape(f"{counted(some)}: {title}"), blocks=[_picture(attachment) for attachment in some])
        for some in _groups(shown, PHOTOS_IN_A_POST)
    ]


def _picture(attachment: Attachment) -> Block:
    return image(_url(attachment), title=_name(attachment) or "Photo")


def photo_links(attachments: Iterable[Attachment]) -> list[Post]:
    """Attachments as links: files, and pictures that Slack could not fetch; an odd address is shown, not linked."""
    return [
        Post(text=f"{counted(some)} to open", blocks=[rich(lines(*(linked(attachment) for attachment in some)))])
        for some in _groups(attachments, _LINKS_IN_A_POST)
    ]


def _groups(attachments: Iterable[Attachment], most: int) -> Iterator[list[Attachment]]:
    """So many attachments that they fit into one post."""
    group: list[Attachment] = []
    room = LARGEST
    for attachment in attachments:
        cost = size([_picture(attachment)]) + 400  # more than either way of showing it takes
        if group and (len(group) == most or cost > room):
            yield group
            group, room = [], LARGEST
        group.append(attachment)
        room -= cost
    if group:
        yield group


def linked(attachment: Attachment) -> list[Element]:
    """An attachment as a line. A file's own name is never the text of the link: it could claim to lead elsewhere."""
    url, name = _url(attachment), _name(attachment)
    opening = [icon("paperclip"), words(" ")]
    if _is_url(url):
        return [*opening, words(f"{name or 'File'}: "), link(url, "open")]
    address = shorten(visible(url) or "no address was sent", 300)
    return [*opening, words(f"{name}: {address}" if name else address)]


def _name(attachment: Attachment) -> str | None:
    named = visible(str(attachment.get("description") or "")) or visible(str(attachment.get("file_name") or ""))
    return shorten(named, 150).replace("\n", " ") if named else None


def _url(attachment: Attachment) -> str:
    return str(attachment.get("url") or "")


def _is_url(url: str) -> bool:
    return len(url) <= _LONGEST_URL and _URL.fullmatch(url) is not None
