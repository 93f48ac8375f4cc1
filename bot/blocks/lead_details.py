"""What a customer told about the job, divided between the card and the posts below it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.blocks.mrkdwn import split, visible
from bot.blocks.pieces import Piece, labelled, of_text
from storage.models import Lead

# A card that has to be scrolled is not read. What is more than a screen of a phone goes below.
SHOWN_DESCRIPTION = 400
SHOWN_ANSWERS = 8
SHOWN_ANSWER_CHARACTERS = 500


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Description and answers, in their order: those for the card, and the rest."""

    on_card: list[Piece]
    below: list[Piece]


def divide(lead: Lead) -> Divided:
    """Decide what of a lead's description and answers stands on the card."""
    description = visible(lead.description) or ""
    shown = description if len(description) <= SHOWN_DESCRIPTION else split(description, SHOWN_DESCRIPTION - 100)[0]
    rest = description[len(shown) :]
    answers = list(_answers(lead.details))
    count = _fitting(answers)
    return Divided(
        on_card=of_text(shown, quoted=True) + [piece for answer in answers[:count] for piece in answer],
        below=of_text(rest, quoted=True) + [piece for answer in answers[count:] for piece in answer],
    )


def _answers(details: Sequence[Mapping[str, Any]]) -> Iterator[list[Piece]]:
    """Each answer as its pieces; the question is small beside what the customer said."""
    for number, detail in enumerate(details):
        question, answer = visible(_text(detail, "question")), visible(_text(detail, "answer"))
        if question or answer:
            yield labelled(question or "Answer", answer or "—", answer=number)


def _text(detail: Mapping[str, Any], key: str) -> str:
    return str(detail.get(key) or "")


def _fitting(answers: Sequence[Sequence[Piece]]) -> int:
    """How many of the first answers are few and short enough for the card."""
    left = SHOWN_ANSWER_CHARACTERS
    for number, pieces in enumerate(answers[:SHOWN_ANSWERS]):
        left -= sum(len(element["text"]) for piece in pieces for element in piece.inline)
        if left < 0:
            return number
    return min(len(answers), SHOWN_ANSWERS)


def long_facts(facts: Mapping[str, str | None], *, longest: int) -> list[Piece]:
    """The whole of every fact that the card could only begin to show."""
    shown = ((label, visible(text)) for label, text in facts.items())
    return [
        piece
        for label, text in shown
        if text and len(text) > longest
        for piece in labelled(label, text, bold_label=True)
    ]


def continued(below: Sequence[Piece]) -> str:
    """The card's line about what follows in the thread."""
    told = _told(below)
    return f"Below: {told}."


def kept(left: Sequence[Piece]) -> str:
    """The last line about what is stored but not shown."""
    count = len(_numbers(left))
    if count and not _other(left):
        return f"… and {count} more {'answer is' if count == 1 else 'answers are'} kept."
    return f"… and {_told(left)} are kept." if count else f"… and {_told(left)} is kept."


def _told(pieces: Sequence[Piece]) -> str:
    count = len(_numbers(pieces))
    told = ["the rest of the description"] if _other(pieces) else []
    if count:
        told.append(f"{count} more {'answer' if count == 1 else 'answers'}")
    return " and ".join(told)


def _numbers(pieces: Sequence[Piece]) -> set[int]:
    return {piece.answer for piece in pieces if piece.answer is not None}


def _other(pieces: Sequence[Piece]) -> bool:
    return any(piece.answer is None for piece in pieces)
