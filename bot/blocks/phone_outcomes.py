"""What people read about their changes to phone numbers: what is wrong with what they typed, what came of it, what did not work.

Names come from outside, so they stand in rich text only; numbers are written as people in the United States write them.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from bot.blocks.kit import LONGEST_TEXT, Block, Element, copyable, icon, line, rich, section, small, small_plain, words
from bot.blocks.mrkdwn import escape, shorten, split, visible
from bot.blocks.phones import CONNECT, USAGE, called, shown_name
from bot.blocks.posts import Post
from bot.phone_changes import Change, Outcome, Result
from bot.phone_numbers import LONGEST_NAME, Entry, Wrong, WrongLine, national
from storage.models import Business

LINES_SHOWN = 15
_DETAIL = 500
_ROOM_TO_COPY = 6_000  # bytes


class _Bold(str):
    """Words that stand out."""

    __slots__ = ()


# What is wrong with what was typed

WHY = {
    Wrong.NO_NUMBER: "there is no phone number in it.",
    Wrong.TWO_NUMBERS: "there are two numbers in it. Give one at a time.",
    Wrong.LETTERS: "there are letters in the number. Write it in digits.",
    Wrong.EXTENSION: "Thumbtack takes no extensions. Give a number that rings directly.",
    Wrong.COUNTRY: "Thumbtack takes only numbers that begin with +1 (United States, Canada and their neighbours).",
    Wrong.SHORT: "the number is too short. It needs ten digits, with the area code.",
    Wrong.LONG: "the number is too long. It needs ten digits, with the area code.",
    Wrong.IMPOSSIBLE: "there is no such number. Area code and exchange begin with 2 to 9.",
    Wrong.NAME_TOO_LONG: f"the name has more than {LONGEST_NAME} characters.",
}
"""Why something is not taken, to go on after `Line 3:`."""


def why(wrong: Wrong) -> str:
    """The reason as a sentence of its own."""
    told = WHY[wrong]
    return told[0].upper() + told[1:]


def why_line(wrong: WrongLine) -> str:
    """The reason as a sentence that names the line."""
    if wrong.why is Wrong.TWICE:
        return f"Line {wrong.line}: the same number as in line {wrong.other}."
    if wrong.why is Wrong.REGISTERED:
        return f"Line {wrong.line}: this number is registered already{_as(wrong.name)}."
    return f"Line {wrong.line}: {WHY[wrong.why]}"


def why_lines(wrong: Sequence[WrongLine], *, most: int = LINES_SHOWN) -> str:
    """The reasons of several lines, and that nothing was sent."""
    more = f" … and {len(wrong) - most} more lines." if len(wrong) > most else ""
    return " ".join(why_line(one) for one in wrong[:most]) + f"{more} Nothing was sent."


def already(name: str | None) -> str:
    """For who wants to register what is registered."""
    return f"This number is registered already{_as(name)}."


# What came of it


def outcome(change: Change, result: Outcome, *, number: str, name: str | None) -> Post:
    """What came of a change, by Thumbtack's list. `number` and `name`: what it was about."""
    entries = (*result.there, *result.missing)
    if len(entries) > 1:
        return _as_post(_imported(result))
    if entries:
        number, name = entries[0].number, entries[0].name
    makes = _SAID.get((change, result.result)) or _SAID.get((None, result.result)) or _not_yet
    return _as_post(makes(change, result, number, name))


def _added(_change: Change, _result: Outcome, number: str, name: str | None) -> list[Block]:
    return _told("white_check_mark", *_who(number, name), " is registered.")


def _there_already(_change: Change, result: Outcome, number: str, _name: str | None) -> list[Block]:
    return _told("information_source", national(number), f" is registered already{_as(result.called)}.")


def _renamed(_change: Change, _result: Outcome, number: str, name: str | None) -> list[Block]:
    return _told("white_check_mark", national(number), " is called ", _Bold(shown_name(name)), " now.")


def _called_so(_change: Change, _result: Outcome, number: str, name: str | None) -> list[Block]:
    return _told("information_source", national(number), " is called ", _Bold(shown_name(name)), " already.")


def _removed(_change: Change, _result: Outcome, number: str, name: str | None) -> list[Block]:
    return _told("white_check_mark", *_who(number, name), " was removed.")


def _gone(_change: Change, _result: Outcome, number: str, _name: str | None) -> list[Block]:
    return _told("information_source", _Bold(national(number)), " is not registered any more. Nothing was changed.")


def _refused(change: Change, result: Outcome, number: str, _name: str | None) -> list[Block]:
    told = _told("x", "Thumbtack refused it. ", _Bold(national(number)), f" {_STILL[change]}.")
    return [*told, *says(result.detail)]


def _not_yet(change: Change, _result: Outcome, number: str, _name: str | None) -> list[Block]:
    told = _told("warning", "Thumbtack took it, but in its list ", _Bold(national(number)), f" {_STILL[change]}.")
    return [*told, small("Look again in a minute: `/thumbtack phones`")]


_SAID: Mapping[tuple[Change | None, Result], Callable[[Change, Outcome, str, str | None], list[Block]]] = (
    MappingProxyType(
        {
            (Change.ADD, Result.DONE): _added,
            (Change.ADD, Result.ALREADY): _there_already,
            (Change.IMPORT, Result.DONE): _added,
            (Change.IMPORT, Result.ALREADY): _there_already,
            (Change.RENAME, Result.DONE): _renamed,
            (Change.RENAME, Result.ALREADY): _called_so,
            (Change.REMOVE, Result.DONE): _removed,
            (None, Result.GONE): _gone,
            (None, Result.REJECTED): _refused,
        }
    )
)
_STILL = {
    Change.ADD: "is not registered",
    Change.IMPORT: "is not registered",
    Change.RENAME: "has its old name",
    Change.REMOVE: "is still registered",
}


def _imported(result: Outcome) -> list[Block]:
    there, missing = len(result.there), len(result.missing)
    if result.result is Result.ALREADY:
        return _told("x", why_lines([WrongLine(line=one.line, why=Wrong.REGISTERED) for one in result.there]))
    if not missing:
        return _told("white_check_mark", f"All {there} numbers are registered.")
    how = "Thumbtack refused it" if result.result is Result.REJECTED else "Thumbtack took it"
    told = f"{how}, and its list has {there} of the {there + missing} numbers. Missing, to copy and import again:"
    return [*_told("warning", told), *says(result.detail), rich(*_to_copy(result.missing))]


def _to_copy(entries: Sequence[Entry]) -> list[Element]:
    """The entries as lines that the import reads again; what does not fit is counted."""
    room, shown = _ROOM_TO_COPY, list[str]()
    for one in entries:
        written = f"{national(one.number)} {shown_name(one.name)}".strip()
        room -= len(written.encode()) + 1
        if room < 0:
            break
        shown.append(written)
    boxes = [copyable(part) for part in split("\n".join(shown), LONGEST_TEXT)]
    more = len(entries) - len(shown)
    return [*boxes, *([line(words(f"… and {more} more"))] if more else [])]


# What is said instead of an outcome


def asking(business: Business) -> Post:
    """At once, while the list is being fetched."""
    return _post("Asking Thumbtack for the numbers of ", _Bold(called(business)), " …")


def adding(business: Business, entry: Entry) -> Post:
    """At once, while a number is being registered."""
    who = _who(entry.number, entry.name)
    return _post("Registering ", *who, " for ", _Bold(called(business)), ". I will confirm here.")


def cannot_read(wrong: Wrong) -> Post:
    """A number that was typed cannot be taken."""
    told = f":x: {why(wrong)} Nothing was sent."
    return Post(text=escape(why(wrong)), blocks=[section(told), section(f"`/thumbtack {USAGE[2]}`")])


def not_connected(business: Business | None = None) -> Post:
    """Nobody has connected the API that has phone numbers."""
    if business is None:
        told = f"Phone numbers need a connection to Thumbtack. {CONNECT}."
        return Post(text=told, blocks=[section(told)])
    text = "Phone numbers need a connection to Thumbtack."
    return Post(
        text=text,
        blocks=[*_told("x", text, " There is none for ", _Bold(called(business)), "."), small(f"{CONNECT}.")],
    )


def not_offered() -> Post:
    """The client that has phone numbers is not set up at all."""
    told = "Phone numbers need Thumbtack's v4 API. Set `THUMBTACK_CLIENT_ID` and `THUMBTACK_CLIENT_SECRET` first."
    return Post(text="Phone numbers need Thumbtack's v4 API.", blocks=[section(told)])


def waiting(reason: str, *, minutes: int) -> Post:
    """Thumbtack does not answer; it is tried again for a while."""
    slow = "asks us to slow down" if reason == "rate_limited" else "cannot be reached just now"
    told = f"Thumbtack {slow}. I keep trying for {minutes} minutes, and tell you here."
    return Post(text=told, blocks=[section(f":hourglass_flowing_sand: {told}")])


def did_not_work(
    reason: str,
    *,
    business: Business,
    changing: bool,
    maybe_done: bool = False,
    scope: str | None = None,
    detail: str | None = None,
) -> Post:
    """Why there is no list or no outcome, and what to do. `maybe_done`: it may have been done all the same."""
    look = " It may have been done all the same: look with `/thumbtack phones` before you try again."
    ending = (look if maybe_done else " Nothing was changed.") if changing else ""
    told = _WHY_NOT.get(reason, _UNNAMED)
    named = [small_plain(f"Permission: {shorten(visible(scope) or '', 200)}")] if visible(scope) else []
    about = small_plain(shorten(called(business), 200))
    return Post(text=told, blocks=[section(f":x: {told}{ending}"), *says(detail), *named, about])


def did_not_open() -> Post:
    """Slack did not show a window: it must come within 3 s."""
    told = "The window did not open in time. Press the button, or type the command, again."
    return Post(text=told, blocks=[section(told)])


def no_longer() -> Post:
    """A button about a number or a business that is gone."""
    told = "This number is not registered any more. Type `/thumbtack phones` for the present list."
    return Post(text="This number is not registered any more.", blocks=[section(f":information_source: {told}")])


_WHY_NOT = {
    "reconnect": f"Thumbtack no longer lets us in. {CONNECT} again.",
    "scope_missing": f"Thumbtack does not let us see or change phone numbers. {CONNECT}, and allow everything it asks for.",
    "rate_limited": "Thumbtack asked us to slow down for too long. Try again later.",
    "unavailable": "Thumbtack could not be reached for a while. Try again later.",
    "outcome_unknown": "Thumbtack's answers were lost.",
    "rejected": "Thumbtack refused it.",
    "unexpected_response": "Thumbtack answered in a way we do not know. Tell a keeper.",
}
_UNNAMED = "Something went wrong here. The keepers were told."


# Pieces


def says(detail: str | None) -> list[Block]:
    """Thumbtack's own sentence, where it said one."""
    told = visible(detail)
    return [small_plain(f"Thumbtack says: {shorten(told, _DETAIL)}")] if told else []


def _who(number: str, name: str | None) -> tuple[str, ...]:
    shown = shown_name(name)
    return (_Bold(shown), f" {national(number)}") if shown else (_Bold(national(number)),)


def _as(name: str | None) -> str:
    return f", as {shown_name(name)}" if shown_name(name) else ""


def _told(mark: str, *parts: str) -> list[Block]:
    return [rich(line(icon(mark), words(" "), *_inline(parts)))]


def _as_post(blocks: list[Block]) -> Post:
    """The first block's words are what a notification says."""
    said = "".join(part.get("text", "") for part in blocks[0]["elements"][0]["elements"])
    return Post(text=escape(said.strip()), blocks=blocks)


def _post(*parts: str) -> Post:
    return Post(text=escape("".join(parts)), blocks=[rich(line(*_inline(parts)))])


def _inline(parts: Sequence[str]) -> list[Element]:
    return [words(str(part), bold=isinstance(part, _Bold)) for part in parts if part]
