"""What is told unasked about connections: one stands, must be made again, cannot be renewed, or came to nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks.connecting import CALLED, CLIENT, GOES_FOR, listed, short
from bot.blocks.kit import (
    Block,
    Element,
    actions,
    button,
    icon,
    line,
    rich,
    section,
    small,
    small_plain,
    words,
)
from bot.blocks.mrkdwn import date, escape, mention
from bot.blocks.notices import offer_to_keep
from bot.blocks.posts import Post


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something that a business could do and cannot. `scopes`: what Thumbtack did not grant for it.

    Where `scopes` is empty, the other API does it: `other`, which there is a client for or not; or `setting` is not set.
    """

    feature: str
    scopes: tuple[str, ...] = ()
    other: str | None = None
    has_client: bool = False
    setting: str | None = None


@dataclass(frozen=True, kw_only=True)
class Connected:
    """A connection as it is told. `ends_at`: where it cannot be renewed."""

    names: tuple[str, ...]
    works: tuple[str, ...]
    missing: tuple[Missing, ...]
    by: str
    left_out: str | None = None
    ends_at: datetime | None = None


def connected(told: Connected) -> Post:
    """A business is connected: what works now, and what does not."""
    names, verb = listed(told.names), "is" if len(told.names) == 1 else "are"
    what = ", ".join(told.works) or "nothing yet"
    head = f" {verb} connected: {what}."
    blocks: list[Block] = [rich(line(icon("link"), words(" "), words(names, bold=True), words(head)))]
    if told.missing:
        blocks.append(section("Still missing:\n" + "\n".join(f"• {_missing(one)}" for one in told.missing)))
    if told.ends_at is not None:
        blocks.append(section(f":warning: It cannot be renewed and ends {date(told.ends_at)}. Connect again then."))
    if told.left_out is not None:
        rest = " was to be connected again and is not among them. It still needs `/thumbtack connect`."
        blocks.append(rich(line(icon("warning"), words(" "), words(short(told.left_out), bold=True), *_code(rest))))
    blocks.append(small(f"Connected by {mention([told.by])}."))
    return Post(text=escape(f"{names}{head}"), blocks=blocks)


def _missing(one: Missing) -> str:
    if one.scopes:
        return f"{one.feature}: Thumbtack did not grant {', '.join(f'`{escape(scope)}`' for scope in one.scopes)}"
    if one.setting is not None:
        return f"{one.feature}: set `{one.setting}` and start again"
    if one.other is not None and one.has_client:
        return f"{one.feature}: `/thumbtack connect`, “{GOES_FOR[one.other]}”"
    return f"{one.feature}: needs a client of {CALLED[one.other or 'legacy']}, see `/thumbtack connect`"


def reconnect(connection_id: int, *, names: Sequence[str], why: str, ask_keeper: bool) -> Post:
    """Thumbtack refuses to renew a connection: somebody must connect again."""
    what = listed(names) or "A business"
    told = f"{what} must be connected again. {why}"
    return Post(
        text=escape(told),
        blocks=[
            rich(
                line(
                    icon("rotating_light"),
                    words(" "),
                    words(what, bold=True),
                    words(f" must be connected again. {why}"),
                )
            ),
            small("Replies wait until then; those that grow too old ask their writers first."),
            actions([button("connect_again", "Connect again", connection_id, style="primary")]),
            *(offer_to_keep(connection_id) if ask_keeper else []),
        ],
    )


def renewal_failing(
    connection_id: int,
    *,
    names: Sequence[str],
    generation: str,
    why: str,
    ends_at: datetime,
    is_ours: bool,
    ask_keeper: bool,
) -> Post:
    """Renewing a connection does not succeed. `is_ours`: because of our client, which connecting again would not mend."""
    what = listed(names) or "a business"
    told = f"The connection of {what} cannot be renewed. {why}"
    mend = f"Compare {CLIENT[generation]} with what Thumbtack gave, and restart. " if is_ours else ""
    blocks = [
        rich(
            line(
                icon("warning"),
                words(" The connection of "),
                words(what, bold=True),
                words(f" cannot be renewed. {why}"),
            )
        ),
        small(f"{mend}It is tried again by itself, and ends {date(ends_at)} if that does not help."),
    ]
    if not is_ours:
        blocks.append(actions([button("connect_again", "Connect again", connection_id)]))
    return Post(text=escape(told), blocks=[*blocks, *(offer_to_keep(connection_id) if ask_keeper else [])])


def failed(*, title: str, why: str, what_to_do: str) -> Post:
    """A code did not become a connection; for who typed it."""
    return Post(
        text=escape(title),
        blocks=[
            rich(line(icon("warning"), words(" "), words(f"{title}.", bold=True), words(f" {why}"))),
            small_plain(what_to_do),
        ],
    )


def _code(text: str) -> list[Element]:
    """Our own words with `code` in them, inside a rich text."""
    parts = text.split("`")
    return [
        {"type": "text", "text": part, "style": {"code": True}} if number % 2 else words(part)
        for number, part in enumerate(parts)
        if part
    ]
