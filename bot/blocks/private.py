"""What stands in Slack of leads whose content is private: that there is something, and the button that opens it.

Nothing that a customer wrote or is stands here, neither in blocks nor in what a lock screen shows. The words are ours.
"""

from collections.abc import Iterable, Sequence

from bot.blocks.kit import Block, actions, bell, button, header, section, small, small_plain
from bot.blocks.lead_view import LeadView
from bot.blocks.mrkdwn import date, mention, shorten
from bot.blocks.posts import Post
from storage.models import Environment
from storage.states import LeadState

TITLE = "Lead"
"""What a private lead is called where others have a headline."""

_BUSINESS = 100


def card(view: LeadView, *, standing: Block, under: Sequence[Block]) -> Post:
    """The parent message. `standing` and `under`: what every card has for the team, made of a view without a customer."""
    title = _title(view)
    return Post(
        text=title,
        blocks=[
            header(title),
            standing,
            *_which(view),
            actions([button("lead_reveal", "Open", view.lead.id or 0, style="primary")]),
            small_plain("Open shows you what the customer said. It is on record who opened it."),
            *under,
        ],
    )


def _title(view: LeadView) -> str:
    """What the lock screen says of a new one is nothing else."""
    title = "New lead" if view.state is LeadState.NEW else TITLE
    return f"TEST · {title}" if view.lead.is_test or view.lead.environment == Environment.STAGING else title


def _which(view: LeadView) -> list[Block]:
    """What tells it from others: our own number, when it came, and whose it is."""
    came = view.lead.received_at
    told = [f"Lead {view.lead.id}"] + ([f"came {date(came)}"] if came else [])
    whose = [small_plain(shorten(view.business_name, _BUSINESS))] if view.business_name else []
    return [small(" · ".join(told)), *whose]


def arrived(lead_id: int, ring: Iterable[str]) -> Post:
    """A placeholder was filled by its lead; shown in the channel too."""
    return _told("The lead's details have come.", lead_id, icon="inbox_tray", ring=ring, broadcast=True)


def message(lead_id: int, *, from_business: bool, ring: Iterable[str], broadcast: bool) -> Post:
    """The customer wrote; or, `from_business`, somebody answered in Thumbtack's app."""
    if from_business:
        return _told("Somebody answered in Thumbtack.", lead_id, icon="outbox_tray", text="New message")
    told = "New message"
    return _told(told, lead_id, icon="speech_balloon", ring=ring, broadcast=broadcast)


def reply(lead_id: int, writer: str | None) -> Post:
    """Somebody answered in the window; what they wrote is for who opens it. `writer`: a Slack user id, None: automatic."""
    who = mention([writer]) if writer else ""
    told = f"{who} replied with the button." if who else "An automatic reply."
    return _told(told, lead_id, icon="outbox_tray" if who else "robot_face", text="New reply")


def cost_changed(lead_id: int) -> Post:
    """What the lead costs is another amount now, or in another state."""
    return _told("What this lead costs has changed.", lead_id, icon="receipt")


def status_changed(lead_id: int) -> Post:
    """Thumbtack shows the lead otherwise than before."""
    return _told("This lead's status in Thumbtack has changed.", lead_id, icon="information_source")


def review(review_id: int, *, in_thread: bool) -> Post:
    """A review came, or was changed. `in_thread`: in its lead's, and then in the channel too."""
    return _told("New review", review_id, icon="star2", action_id="review_reveal", broadcast=in_thread)


def _told(
    told: str,
    row_id: int,
    *,
    icon: str,
    text: str | None = None,
    ring: Iterable[str] = (),
    broadcast: bool = False,
    action_id: str = "lead_reveal",
) -> Post:
    """A line with its button. `told`: mrkdwn of ours; `text`: what a notification says instead."""
    said = section(f":{icon}: {told}") | {"accessory": button(action_id, "Open", row_id)}
    return Post(text=text or told, blocks=[said, *bell(ring)], broadcast=broadcast)
