"""The lead's card, which heads its thread and always shows the present state, and the lines that tell of a change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.blocks import appointments, contacts, history, lead_buttons, lead_details, messages, private, terms
from bot.blocks.kit import (
    LARGEST,
    Block,
    Element,
    bell,
    header,
    icon,
    line,
    lines,
    link,
    rich,
    section,
    size,
    small,
    small_plain,
    words,
)
from bot.blocks.lead_view import LeadView, RepliesGo
from bot.blocks.mrkdwn import escape, shorten, visible
from bot.blocks.pieces import Piece, laid_out, pack
from bot.blocks.posts import Post
from storage.models import Environment, Lead
from webhooks.thumbtack.payloads import lead_types, travel

__all__ = ["LeadView", "RepliesGo", "arrived_line", "card", "continuations", "everything", "headline", "price_line"]

SHORT_FACT = 100
LONG_FACT = 300
"""Characters of one fact on the card, and of one that often takes more; the whole of a longer one follows below it."""

POSTS_BELOW = 4
"""How many posts may continue a card: with it, five."""

_PLACEHOLDER = "Lead details to follow"
_ROOM_BELOW = LARGEST - 600  # beside the pieces stand a title and perhaps the line about what is kept
_SCHEDULE_ICONS = {"date": "calendar", "time": "clock3", "leng": "stopwatch"}


def headline(lead: Lead) -> str:
    """The card's one line, as a notification shows it: category, place, price, where known; TEST comes first.

    It is what the message's `text` holds: escaped, and otherwise plain.
    """
    return escape(_headline(lead))


def _headline(lead: Lead) -> str:
    place = ", ".join(_given(lead.city, lead.state))
    known = _given(lead.category or lead.title, place, lead.price_text)
    what = [shorten(part, SHORT_FACT).replace("\n", " ") for part in known]
    if not what:
        what = [_PLACEHOLDER if lead.is_placeholder else "New lead"]
    return " · ".join(["TEST", *what] if _is_test(lead) else what)


def _given(*texts: str | None) -> list[str]:
    return [text for text in map(visible, texts) if text and text.casefold() != "n/a"]


def _is_test(lead: Lead) -> bool:
    return lead.is_test or lead.environment == Environment.STAGING


def card(view: LeadView) -> Post:
    """The parent message of a lead's thread."""
    if view.private:
        nameless = replace(view, customer=None)
        under = [*_ring(nameless), *lead_buttons.first(nameless), *lead_buttons.foot(nameless)]
        return private.card(nameless, standing=lead_buttons.standing(nameless), under=under)
    return Post(text=headline(view.lead), blocks=_lay_out(view).blocks)


def continuations(view: LeadView) -> list[Post]:
    """What did not fit on the card, in at most four posts; the last says how much more is kept, if anything."""
    posts: list[list[Piece]] = []
    left = [] if view.private else _lay_out(view).below
    while left and len(posts) < POSTS_BELOW:
        taken, left = pack(left, _ROOM_BELOW)
        posts.append(taken)
    made = []
    for number, taken in enumerate(posts, start=1):
        title = "More about this lead" + (f" ({number} of {len(posts)})" if len(posts) > 1 else "")
        blocks = [small_plain(title), laid_out(taken)]
        if left and number == len(posts):
            blocks.append(small_plain(lead_details.kept(left)))
        made.append(Post(text=title, blocks=blocks))
    return made


def everything(view: LeadView) -> tuple[list[Block], list[Piece]]:
    """All that a lead tells, for who opens it: what is known at a glance, and the rest in its order."""
    details = lead_details.divide(view.lead)
    rest = [*details.on_card, *details.below, *_long_facts(view)]
    return [header(_headline(view.lead)), *_facts(view), *_meta(view)], rest


def price_line(charge_text: str | None, charge_state: str | None) -> Post:
    """The line in the thread that tells of a change of what the lead costs."""
    told = f"Lead cost: {terms.cost(charge_text, charge_state) or 'not known'}"
    return Post(text=escape(told), blocks=[rich(line(icon("receipt"), words(f" {told}")))])


def arrived_line(view: LeadView) -> Post:
    """The line, shown in the channel too, that tells that a placeholder was filled by its lead; it rings."""
    if view.private:
        return private.arrived(lead_buttons.lead_id_of(view.lead), view.ring)
    told = f"The lead's details have come: {_headline(view.lead)}"
    return Post(text=escape(told), blocks=[rich(line(words(told))), *bell(view.ring)], broadcast=True)


@dataclass(frozen=True, kw_only=True)
class _Layout:
    blocks: list[Block]
    below: list[Piece]


def _lay_out(view: LeadView) -> _Layout:
    """Divide a lead between its card and the posts below; the card's fixed parts go first, then what fits."""
    lead = view.lead
    details = lead_details.divide(lead)
    above = [header(_headline(lead)), lead_buttons.standing(view), *_facts(view), *lead_buttons.first(view)]
    under = [*_meta(view), *_ring(view), *lead_buttons.foot(view)]
    room = LARGEST - size(above) - size(under) - 300  # the line that says what is below
    shown, left = pack(details.on_card, room)
    below = [*_long_facts(view), *left, *details.below]
    middle = [laid_out(shown)] if shown else []
    if left or details.below:
        middle.append(small_plain(lead_details.continued([*left, *details.below])))
    return _Layout(blocks=[*above, *middle, *under], below=below)


def _facts(view: LeadView) -> Iterator[Block]:
    lead = view.lead
    if lead.is_placeholder:
        yield rich(line(words("Thumbtack has not sent this lead's details yet. They will appear here by themselves.")))
        return
    name, phone = view.name or "Name not given", view.phone
    rows: list[list[Element]] = [[icon("bust_in_silhouette"), words(" "), words(shorten(name, SHORT_FACT), bold=True)]]
    rows += _schedule(view)
    rows += _place(lead)
    if who_travels := visible(travel.label(lead.travel_preferences)):
        rows.append([icon("car"), words(f" {shorten(who_travels, LONG_FACT)}")])
    rows += terms.estimate(lead)
    rows += history.before(view.contacted_before)
    title = visible(lead.title)
    if title and title != visible(lead.category):
        rows.insert(0, [words(shorten(title, SHORT_FACT), bold=True)])
    call, code = contacts.call_link(phone), terms.access_code(lead)
    if told := " · ".join(
        filter(None, (None if call else phone and shorten(phone, SHORT_FACT), None if call else code))
    ):
        rows.append([icon("telephone_receiver"), words(f" {told}")])
    yield rich(lines(*terms.status(lead), *rows))
    if call:
        told = " · ".join(filter(None, (f":telephone_receiver: {call}", code)))
        yield section(told) | {"accessory": contacts.number_button(lead_buttons.lead_id_of(lead))}


def _schedule(view: LeadView) -> Iterator[list[Element]]:
    """When: v4's times, else as sent, which is usually three lines that begin with Date, Time and Length."""
    times = appointments.rows(view.lead, view.zone)
    yield from ([icon("calendar"), words(f" {told}")] for told in times)
    schedule = None if times else visible(view.lead.schedule)
    if schedule is None:
        return
    for row in shorten(schedule, LONG_FACT).split("\n", 5):
        told = " ".join(row.split())
        name = _SCHEDULE_ICONS.get(told[:4].casefold(), "calendar")
        if told:
            yield [icon(name), words(f" {told}")]


def _place(lead: Lead) -> Iterator[list[Element]]:
    place = contacts.address(lead)
    if place is None:
        return
    shown = shorten(place, LONG_FACT).replace("\n", " ")
    url = contacts.map_url(place)
    yield [icon("round_pushpin"), words(" "), link(url, shown) if url else words(shown)]


def _meta(view: LeadView) -> list[Block]:
    """What is good to know but not first: photos, kind and cost of the lead, whose it is."""
    lead = view.lead
    cost = terms.cost_of(lead)
    parts = [
        f"{messages.counted(lead.attachments)} below" if lead.attachments else None,
        shorten(visible(lead_types.label(lead.lead_type)) or "", SHORT_FACT),
        terms.asked_others(lead),
        f"Lead cost {cost}" if cost else None,
        shorten(view.business_name or "", SHORT_FACT),
    ]
    told = " · ".join(filter(None, parts))
    return [small_plain(told)] if told else []


def _ring(view: LeadView) -> Iterator[Block]:
    """A placeholder does not ring: what opened it does, and so does the lead when it comes."""
    if not view.lead.is_placeholder:
        yield from bell(view.ring)
    if view.ring_hint:
        yield small(
            ":no_bell: Nobody's phone rings for new leads yet. Put user or group ids into `SLACK_RING` and restart."
        )


def _long_facts(view: LeadView) -> list[Piece]:
    lead = view.lead
    short = {
        "Category": lead.category,
        "Title": lead.title,
        "Customer": view.name,
        "Phone": view.phone,
        "Price": lead.price_text,
        "Lead type": lead.lead_type,
        "Lead cost": lead.charge_text,
        "Charge": lead.charge_state,
        "Business": view.business_name,
    }
    long = {
        "When": lead.schedule,
        "Where": contacts.address(lead),
        "Getting there": travel.label(lead.travel_preferences),
    }
    return [
        *appointments.all_proposed(lead, view.zone),
        *lead_details.long_facts(short, longest=SHORT_FACT),
        *lead_details.long_facts(long, longest=LONG_FACT),
    ]
