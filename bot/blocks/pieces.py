"""Long text in pieces that stay together, laid out over as many posts as it needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.blocks.kit import LONGEST_TEXT, Block, Element, line, quote, rich, size, words
from bot.blocks.mrkdwn import split, visible

_LONGEST_LABEL = 500
_AROUND = 120  # bytes of JSON that a piece costs beyond its own: a line end, a new paragraph or quote


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a long text that is not cut.

    `quoted`: somebody else's words, shown with a bar. `continues`: follows the piece before it without a line end.
    `answer`: the number of the answer that it is part of.
    """

    inline: tuple[Element, ...]
    quoted: bool = False
    continues: bool = False
    answer: int | None = None

    @property
    def cost(self) -> int:
        """Bytes of JSON that this piece adds to a post, at most."""
        return size(self.inline) + _AROUND


def of_text(text: str | None, *, quoted: bool = False) -> list[Piece]:
    """A text in pieces; none where there is nothing to see."""
    parts = _parts(visible(text) or "")
    return [Piece(inline=(words(part),), quoted=quoted, continues=number > 0) for number, part in enumerate(parts)]


def labelled(label: str, text: str, *, bold_label: bool = False, answer: int | None = None) -> list[Piece]:
    """A text behind its label, as in `Rooms: 4`; the label itself may be long too."""
    ends = "" if label.endswith(("?", ":", ".", "!")) else ":"
    *above, last = split(f"{label}{ends} ", _LONGEST_LABEL)
    first, *more = _parts(text)
    return [
        *(Piece(inline=(words(part, bold=bold_label),), answer=answer) for part in above),
        Piece(inline=(words(last, bold=bold_label), words(first, bold=not bold_label)), answer=answer),
        *(Piece(inline=(words(part, bold=not bold_label),), continues=True, answer=answer) for part in more),
    ]


def _parts(text: str) -> list[str]:
    """Parts of which at least one fits into any post, however many bytes its characters take (up to four)."""
    return split(text, LONGEST_TEXT if text.isascii() else LONGEST_TEXT // 2)


def pack(pieces: Sequence[Piece], room: int) -> tuple[list[Piece], list[Piece]]:
    """The first pieces that fit into `room` bytes of JSON, and those that are left. 8,000 bytes take any one piece."""
    for number, piece in enumerate(pieces):
        room -= piece.cost
        if room < 0:
            return list(pieces[:number]), list(pieces[number:])
    return list(pieces), []


def laid_out(pieces: Iterable[Piece]) -> Block:
    """The pieces as one block of rich text."""
    groups: list[tuple[bool, list[Element]]] = []
    for piece in pieces:
        if not groups or groups[-1][0] != piece.quoted:
            groups.append((piece.quoted, list(piece.inline)))
        else:
            groups[-1][1].extend(piece.inline if piece.continues else (words("\n"), *piece.inline))
    return rich(*(quote(*inline) if quoted else line(*inline) for quoted, inline in groups))
