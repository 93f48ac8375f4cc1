"""What somebody wants changed about a business's phone numbers, and what Thumbtack's own list says came of it.

Nothing is claimed that the list does not show, and only what it shows missing is ever sent again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.phone_numbers import Entry, normal
from storage.phones import Listed


class Change(StrEnum):
    """What is to be done."""

    ADD = "add"
    IMPORT = "import"
    RENAME = "rename"
    REMOVE = "remove"


class Result(StrEnum):
    """What came of it."""

    DONE = "done"  # the list shows it
    ALREADY = "already"  # it was so before, and nothing was sent
    GONE = "gone"  # the number that it is about is not registered any more
    NOT_LISTED = "not_listed"  # Thumbtack took it, and its list does not show it
    REJECTED = "rejected"  # Thumbtack refused it


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A change. `entries`: what to register; `phone_id` (Thumbtack's), `number`: which one to rename or remove."""

    change: Change
    entries: tuple[Entry, ...] = ()
    phone_id: str = ""
    number: str = field(default="", repr=False)
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a wish, by Thumbtack's list; `detail` is Thumbtack's own sentence.

    `there` and `missing`: of what was to be registered, what the list has and what it lacks. `called`: what a number
    that is there already is called.
    """

    result: Result
    there: tuple[Entry, ...] = ()
    missing: tuple[Entry, ...] = ()
    called: str | None = field(default=None, repr=False)
    detail: str | None = field(default=None, repr=False)


def to_payload(wish: Wish) -> dict[str, Any]:
    """The wish as an outbox entry keeps it."""
    entries = [[one.line, one.number, one.name] for one in wish.entries]
    return {
        "change": wish.change,
        "entries": entries,
        "phone_id": wish.phone_id,
        "number": wish.number,
        "name": wish.name,
    }


def from_payload(payload: Mapping[str, Any]) -> Wish:
    """The wish that an outbox entry keeps."""
    entries = tuple(Entry(line=line, number=number, name=name) for line, number, name in payload["entries"])
    return Wish(
        change=Change(payload["change"]),
        entries=entries,
        phone_id=payload["phone_id"],
        number=payload["number"],
        name=payload["name"],
    )


def before(wish: Wish, listed: Sequence[Listed], *, maybe_done: bool) -> Outcome | None:
    """What can be said without asking anything of Thumbtack; None where there is something to ask.

    `maybe_done`: it was asked before, and the answer was lost: what the list shows now is then what came of it.
    """
    there, missing = _split(wish, listed)
    so_already = Result.DONE if maybe_done else Result.ALREADY
    match wish.change:
        case Change.ADD | Change.IMPORT:
            if not there or (missing and maybe_done):
                return None
            called = _names(listed).get(there[0].number)
            return Outcome(result=so_already, there=there, missing=missing, called=called)
        case Change.RENAME:
            row = _row(wish, listed)
            if row is None:
                return Outcome(result=Result.GONE)
            return Outcome(result=so_already, called=row.name) if row.name == wish.name else None
        case Change.REMOVE:
            gone = Result.DONE if maybe_done else Result.GONE
            return Outcome(result=gone) if _row(wish, listed) is None else None


def after(wish: Wish, listed: Sequence[Listed], *, is_refused: bool = False, detail: str | None = None) -> Outcome:
    """What Thumbtack's list says came of it, once it was asked; `detail`: what it said where it refused."""
    there, missing = _split(wish, listed)
    row = _row(wish, listed)
    match wish.change:
        case Change.ADD | Change.IMPORT:
            is_so = not missing
        case Change.RENAME:
            if row is None:
                return Outcome(result=Result.GONE)
            is_so = row.name == wish.name
        case Change.REMOVE:
            is_so = row is None
    if is_so:
        return Outcome(result=Result.DONE, there=there)
    failed = Result.REJECTED if is_refused else Result.NOT_LISTED
    return Outcome(result=failed, there=there, missing=missing, detail=detail)


def to_send(wish: Wish, listed: Sequence[Listed]) -> tuple[Entry, ...]:
    """Of what is to be registered, what the list lacks."""
    return _split(wish, listed)[1]


def name_of(wish: Wish, listed: Sequence[Listed]) -> str | None:
    """What the number that it is about is called in the list."""
    row = _row(wish, listed)
    return row.name if row is not None else None


def number_of(wish: Wish, listed: Sequence[Listed]) -> str:
    """The number that it is about, as the list has it."""
    row = _row(wish, listed)
    return row.number if row is not None else wish.number


def registered(listed: Sequence[Listed]) -> list[Listed]:
    """The numbers that may call: not the deleted ones."""
    return [one for one in listed if not one.is_deleted]


def _split(wish: Wish, listed: Sequence[Listed]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    names = _names(listed)
    there = tuple(one for one in wish.entries if one.number in names)
    return there, tuple(one for one in wish.entries if one.number not in names)


def _names(listed: Sequence[Listed]) -> dict[str, str | None]:
    return {normal(one.number): one.name for one in registered(listed)}


def _row(wish: Wish, listed: Sequence[Listed]) -> Listed | None:
    return next((one for one in registered(listed) if one.thumbtack_id == wish.phone_id), None)
