"""Pausing and resuming new leads: what people are told about it, and how the state is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.blocks.kit import Block, Element, actions, button, icon, line, plain, rich, section, small, small_plain, words
from bot.blocks.mrkdwn import date, escape, mention, shorten, visible
from bot.blocks.posts import Post
from bot.times import EXAMPLES, Refusal

BUSINESS, CATEGORY = "targeting_business", "targeting_category"
UNDO, RESUME = "targeting_undo", "targeting_resume"
"""The action_ids."""

MOST_CHOICES = 100  # https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
_NAME, _OPTION, _DETAIL = 100, 75, 500
_ON, _OFF = "arrow_forward", "double_vertical_bar"


class Cannot(StrEnum):
    """Why leads were not paused or resumed, beside the codes of Thumbtack's answers (webhooks.thumbtack.errors)."""

    OTHER_ENVIRONMENT = "other_environment"
    NOT_CONNECTED = "not_connected"
    RECONNECT = "reconnect"
    SCOPE_MISSING = "scope_missing"
    BAD_REQUEST = "bad_request"
    NOT_YOURS = "not_your_service"
    NO_SUCH_SERVICE = "no_such_service"
    NO_SUCH_CATEGORY = "no_such_category"
    REJECTED = "rejected"
    NO_ANSWER = "unavailable"
    SLOW_DOWN = "rate_limited"
    UNEXPECTED = "unexpected_response"
    NO_ZONE = "no_time_zone"
    TOO_LATE = "too_late"


_SENTENCES: Mapping[str, str] = {
    Cannot.OTHER_ENVIRONMENT: "It is in Thumbtack's other environment (THUMBTACK_ENVIRONMENT). Change it there.",
    Cannot.NOT_CONNECTED: "It is not connected for targeting. Connect it with `/thumbtack connect`.",
    Cannot.RECONNECT: "Thumbtack no longer accepts our connection. Connect again with `/thumbtack connect`.",
    Cannot.SCOPE_MISSING: (
        "The connection lacks the permission `targeting`. Connect again with `/thumbtack connect` and allow it."
    ),
    Cannot.BAD_REQUEST: "Thumbtack did not accept the request. Change it in Thumbtack, and tell a keeper.",
    Cannot.NOT_YOURS: (
        "Thumbtack says that the connected account may not change this business. "
        "Connect the account that owns it with `/thumbtack connect`."
    ),
    Cannot.NO_SUCH_SERVICE: "Thumbtack does not know this business any more. Look in Thumbtack.",
    Cannot.NO_SUCH_CATEGORY: "Thumbtack does not know this category of the business any more. Look in Thumbtack.",
    Cannot.REJECTED: "Thumbtack refused it. Change it in Thumbtack, and tell a keeper.",
    Cannot.NO_ANSWER: "Thumbtack did not answer, so it is not known whether it was done. Look in Thumbtack.",
    Cannot.SLOW_DOWN: "Thumbtack asked us to slow down for too long. Try again later, or do it in Thumbtack.",
    Cannot.UNEXPECTED: "Thumbtack answered in a way we do not know. Look in Thumbtack whether it was done.",
    Cannot.NO_ZONE: "Slack did not say which time zone you are in. Say how long instead, as in `for 3h`.",
    Cannot.TOO_LATE: "Its time was over before Thumbtack could be reached.",
}
_UNNAMED = "Something went wrong that has no sentence yet. Look in Thumbtack, and tell a keeper."

_BAD_TIMES: Mapping[Refusal, str] = {
    Refusal.PAST: "That time is over already.",
    Refusal.TOO_FAR: "That is more than a year ahead. To pause without an end, leave the time away.",
    Refusal.UNREADABLE: "That is not a time that Corkboard can read.",
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose new leads: a business's, or those of one category of it. Names are Thumbtack's."""

    business: str
    category: str | None = None

    @property
    def inline(self) -> list[Element]:
        """`X`, or `X, Interior Painting`, inside a rich text."""
        name = words(shorten(self.business, _NAME), bold=True)
        return [name, words(f", {shorten(self.category, _NAME)}")] if self.category else [name]

    @property
    def text(self) -> str:
        """The same for a post's own text."""
        return escape("".join(str(element["text"]) for element in self.inline))


def named(name: str | None, thumbtack_id: str) -> str:
    """A business's name, or its id where Thumbtack has not told it."""
    return visible(name) or thumbtack_id


# What the person who asked is told at once


def asked(subject: Subject, *, enabled: bool, when: str | None) -> Post:
    """It is stored and under way. `when`: as they typed it."""
    told = "Resuming" if enabled else "Pausing"
    until = f" {when}" if when else ""
    inline = [words(f"{told} new leads for "), *subject.inline, words(f"{until}. I will confirm here.")]
    return _post(line(*inline))


def already() -> Post:
    """A button or a choice was pressed again, or too late."""
    return _told("This was done, or changed, already. `/thumbtack status` shows how it is set.")


def nothing_before() -> Post:
    """Undo of a resume, where the pause before it would be over by now."""
    return _told("The pause before would be over by now, so there is nothing to bring back.")


def no_business() -> Post:
    """No business is connected for it."""
    return _told(
        "No business is connected for targeting. "
        "Use `/thumbtack connect` and choose *Messages, targeting*, then try again."
    )


def cannot(subject: Subject, reason: str, *, enabled: bool) -> Post:
    """It is known already that Thumbtack will not do it: nothing was asked of it."""
    return failed(subject, reason, enabled=enabled)


def bad_time(refusal: Refusal) -> Post:
    """A time that is over, too far, or no time."""
    examples = "  ".join(f"`{one}`" for one in EXAMPLES)
    told = f"{_BAD_TIMES[refusal]} Nothing was changed."
    return Post(text=told, blocks=[section(f":warning: {told}"), small(f"For example: {examples}")])


def no_time_for_resume() -> Post:
    """`resume` takes no time."""
    return _told("New leads are resumed at once: leave the time away. To pause until a time, use `/thumbtack pause`.")


def too_long() -> Post:
    """More words than a name and a time have."""
    return _told("That is too long. Type `/thumbtack pause`, a business or category, and a time, as in `for 2h`.")


def choose_business(choices: Sequence[tuple[int, str]], *, block_id: str, enabled: bool) -> Post:
    """Several businesses, and none was named. `choices`: our id and the name of each."""
    told = f"Which business {'gets new leads again' if enabled else 'gets no new leads'}?"
    options = [_option(name, str(business_id)) for business_id, name in choices[:MOST_CHOICES]]
    more = [small("There are more. Type its name behind the verb.")] if len(choices) > MOST_CHOICES else []
    return Post(text=told, blocks=[section(told), _select(BUSINESS, "Choose a business", options, block_id), *more])


def choose_category(typed: str, closest: Sequence[tuple[str, str]], *, block_id: str, subject: Subject) -> Post:
    """No category is called so. `closest`: id and name of those that were seen in leads, the most alike first."""
    said = words(f"No lead of {shorten(subject.business, _NAME)} was in a category called “{shorten(typed, _NAME)}”.")
    if not closest:
        return _post(line(said), small("Leave the category away to pause or resume the whole business."))
    options = [_option(name, category_id) for category_id, name in closest[:MOST_CHOICES]]
    return _post(
        line(said, words(" Did you mean one of these?")),
        _select(CATEGORY, "Choose a category", options, block_id),
        small("Nothing was changed. Leave the category away for the whole business."),
    )


# What they are told later


def confirmed(
    subject: Subject,
    *,
    enabled: bool,
    until: datetime | None,
    by: str | None,
    undo_id: int | None,
    still_paused: Sequence[str] = (),
) -> Post:
    """Thumbtack did it. `by`: a user id; `undo_id`: what the Undo button undoes; `still_paused`: other categories."""
    text, happened = _happened(subject, enabled=enabled)
    buttons = [actions([button(UNDO, "Undo", undo_id)])] if undo_id is not None else []
    more = f"Still paused: {shorten(', '.join(still_paused), 500)}"
    blocks = [happened, small(_how_long(enabled=enabled, until=until, by=by))]
    return Post(text=text, blocks=[*blocks, *([small_plain(more)] if still_paused else []), *buttons])


def waits(subject: Subject, *, enabled: bool) -> Post:
    """Thumbtack does not answer yet."""
    told = f"Thumbtack does not take it yet. Still trying to {_verb(enabled)} new leads for "
    return _post(line(icon("hourglass_flowing_sand"), words(f" {told}"), *subject.inline, words(".")))


def replaced(subject: Subject, *, enabled: bool) -> Post:
    """Somebody wanted something else before it was done."""
    told = f"Not done, because something newer was asked for meanwhile: {_verb(enabled)} new leads for "
    return _post(line(words(told), *subject.inline, words(".")))


def failed(subject: Subject, reason: str, *, enabled: bool, detail: str | None = None, goes_on: bool = False) -> Post:
    """It was not done. `detail`: Thumbtack's own words; `goes_on`: it is tried on, and the keepers hear of it."""
    inline = [words(f" Could not {_verb(enabled)} new leads for "), *subject.inline, words(".")]
    own = visible(detail)
    return _post(
        line(icon("x"), *inline),
        section(sentence(reason)),
        *([small_plain(f"Thumbtack says: {shorten(own, _DETAIL)}")] if own else []),
        *([small("Corkboard goes on trying, and tells the keepers.")] if goes_on else []),
    )


def sentence(reason: str | None) -> str:
    """What went wrong and what to do, as mrkdwn; every code has one."""
    return _SENTENCES.get(reason or "", _UNNAMED)


# What everybody, or the keepers, are told


def resumed_by_itself(subject: Subject, *, since: datetime | None) -> Post:
    """A pause is over. `since`: when it should have been over, where that was long ago."""
    text, happened = _happened(subject, enabled=True)
    late = f" They should have been on since {date(since)}; Thumbtack did not do it before." if since else ""
    return Post(text=text, blocks=[happened, small(f"The pause is over.{late}")])


def recalled(subject: Subject, targeting_id: int, *, by: str | None, since: datetime) -> Post:
    """A pause without an end goes on."""
    who = f" by {mention([by])}" if by else ""
    made = _post(
        line(icon(_OFF), words(" New leads are still paused for "), *subject.inline, words(".")),
        small(f"Since {date(since)}{who}. You are asked once a day until somebody resumes them."),
        actions([button(RESUME, "Resume", targeting_id, style="primary")]),
    )
    return Post(text=f"New leads are still paused for {subject.text}.", blocks=made.blocks)


def resume_failing(
    subject: Subject, reason: str, *, since: datetime, row_id: int, detail: str | None = None, ask_keeper: bool = False
) -> Post:
    """New leads should be on again, and Thumbtack does not do it. `since`: when they should have been."""
    text = f"New leads could not be resumed for {subject.text}."
    own = visible(detail)
    made = _post(
        line(icon("rotating_light"), words(" New leads could not be resumed for "), *subject.inline, words(".")),
        section(sentence(reason)),
        *([small_plain(f"Thumbtack says: {shorten(own, _DETAIL)}")] if own else []),
        small(f"They should have been on since {date(since)}. Corkboard goes on trying; to be quick, use Thumbtack."),
        *_keeper(row_id, ask_keeper=ask_keeper),
    )
    return Post(text=text, blocks=made.blocks)


def resume_mended(subject: Subject) -> Post:
    """What the keepers were told of is over."""
    return _post(line(icon("white_check_mark"), words(" New leads are on again for "), *subject.inline, words(".")))


# Pieces


def _happened(subject: Subject, *, enabled: bool) -> tuple[str, Block]:
    state: Literal["on again", "paused"] = "on again" if enabled else "paused"
    mark = icon(_ON if enabled else _OFF)
    text = f"New leads are {state} for {subject.text}."
    return text, rich(line(mark, words(f" New leads are {state} for "), *subject.inline, words(".")))


def _how_long(*, enabled: bool, until: datetime | None, by: str | None) -> str:
    who = f"By {mention([by])}." if by else ""
    if enabled:
        return who or "By Corkboard."
    if until is None:
        return f"{who} Until somebody types `/thumbtack resume`.".strip()
    return f"{who} Until {date(until)}; then they come back by themselves.".strip()


def _verb(enabled: bool) -> str:  # noqa: FBT001 -- which of two words, nothing else
    return "resume" if enabled else "pause"


def _keeper(row_id: int, *, ask_keeper: bool) -> list[Block]:
    if not ask_keeper:
        return []
    told = "Nobody is set to be told about trouble. A workspace admin can take this on:"
    return [small(told), actions([button("keeper_me", "Set me as keeper", row_id)])]


def _option(name: str, value: str) -> Element:
    return {"text": plain(shorten(visible(name) or value, _OPTION)), "value": value}


def _select(action_id: str, label: str, options: Sequence[Element], block_id: str) -> Block:
    element = {"type": "static_select", "action_id": action_id, "placeholder": plain(label), "options": list(options)}
    return {"type": "actions", "block_id": block_id, "elements": [element]}


def _post(first: Element, *blocks: Block) -> Post:
    """A post whose text is what its first line says."""
    text = "".join(str(element["text"]) for element in first["elements"] if "text" in element).strip()
    return Post(text=escape(text), blocks=[rich(first), *blocks])


def _told(mrkdwn: str) -> Post:
    return Post(text=mrkdwn, blocks=[section(mrkdwn)])
