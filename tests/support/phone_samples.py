"""What people see of phone numbers, for looking at: the list, the windows, and what came of each change."""

from datetime import timedelta
from typing import Any

from support.samples import NOW

from bot.blocks import phone_outcomes, phone_windows, phones
from bot.blocks.posts import Post
from bot.phone_changes import Change, Outcome, Result
from bot.phone_numbers import Entry, Wrong
from storage.models import Business, Environment, Phone

OAK = Business(id=1, environment=Environment.PRODUCTION, thumbtack_id="901", name="Oak & Ivy Painting", created_at=NOW)
ELM = Business(id=2, environment=Environment.PRODUCTION, thumbtack_id="902", name="Elm <Roofing>", created_at=NOW)
NAMELESS = Business(id=3, environment=Environment.PRODUCTION, thumbtack_id="903", name=None, created_at=NOW)
NUMBER = "+15125550142"
METADATA = '{"url": "sealed", "replace": true, "business": 1}'


def a_phone(phone_id: int, name: str | None, number: str = NUMBER, *, days: int | None = None) -> Phone:
    """A registered number; `days`: how long ago it was last used."""
    used = None if days is None else NOW - timedelta(days=days)
    return Phone(
        id=phone_id,
        business_id=1,
        thumbtack_id=str(phone_id),
        number=number,
        name=name,
        last_activity_at=used,
        listed_at=NOW,
    )


FRONT = a_phone(1, "Front desk", days=2)
SOME = [FRONT, a_phone(2, "Ana (cell)", "+15125550143", days=40), a_phone(3, None, "+14165550123")]
MANY = [a_phone(n, f"Crew {n} of the long summer", f"+1512555{n:04}", days=n) for n in range(1, 41)]
ENTRIES = tuple(
    Entry(line=line, number=f"+1512555014{line}", name=name) for line, name in ((1, "Ana"), (2, "Ben"), (3, None))
)


def said(change: Change, result: Result, **fields: Any) -> Post:
    """What came of a change."""
    fields = {"there": ENTRIES[:1]} | fields if change in (Change.ADD, Change.IMPORT) else fields
    return phone_outcomes.outcome(change, Outcome(result=result, **fields), number=NUMBER, name="Front desk")


NOT_THERE: dict[str, Any] = {"there": (), "missing": ENTRIES[:1]}

POSTS: dict[str, list[Post]] = {
    "phones": [phones.page(OAK, SOME)],
    "phones_after": [phones.page(OAK, SOME, outcome=said(Change.ADD, Result.DONE))],
    "phones_none": [phones.page(NAMELESS, [])],
    "phones_many": [phones.page(OAK, MANY)],
    "phones_found": [phones.page(OAK, MANY, find="crew 12"), phones.page(OAK, SOME, find="nobody")],
    "phones_looking": [phones.page(ELM, SOME, may_change=False)],
    "phones_which": [phones.which_business([OAK, ELM, NAMELESS])],
    "phones_begun": [phone_outcomes.asking(OAK), phone_outcomes.adding(ELM, ENTRIES[0])],
    "phones_done": [
        said(Change.ADD, Result.DONE),
        said(Change.ADD, Result.ALREADY, called="Reception"),
        said(Change.IMPORT, Result.DONE, there=ENTRIES),
        said(Change.RENAME, Result.DONE),
        said(Change.RENAME, Result.ALREADY),
        said(Change.REMOVE, Result.DONE),
        said(Change.REMOVE, Result.GONE),
        said(Change.RENAME, Result.GONE),
    ],
    "phones_not_done": [
        said(Change.ADD, Result.REJECTED, **NOT_THERE, detail="Five numbers is the limit."),
        said(Change.RENAME, Result.REJECTED),
        said(Change.REMOVE, Result.REJECTED),
        said(Change.ADD, Result.NOT_LISTED, **NOT_THERE),
        said(Change.RENAME, Result.NOT_LISTED),
        said(Change.REMOVE, Result.NOT_LISTED),
    ],
    "phones_import_partly": [
        said(Change.IMPORT, Result.NOT_LISTED, there=ENTRIES[:1], missing=ENTRIES[1:]),
        said(Change.IMPORT, Result.REJECTED, there=(), missing=ENTRIES, detail="Five numbers is the limit."),
        said(Change.IMPORT, Result.ALREADY, there=ENTRIES[:2], missing=ENTRIES[2:]),
    ],
    "phones_not_read": [phone_outcomes.cannot_read(wrong) for wrong in (Wrong.EXTENSION, Wrong.COUNTRY, Wrong.SHORT)],
    "phones_cannot": [
        phone_outcomes.not_offered(),
        phone_outcomes.not_connected(),
        phone_outcomes.not_connected(ELM),
        phone_outcomes.waiting("unavailable", minutes=10),
        phone_outcomes.waiting("rate_limited", minutes=10),
        phone_outcomes.did_not_work("reconnect", business=OAK, changing=True),
        phone_outcomes.did_not_work("scope_missing", business=OAK, changing=False, scope="supply::phones.read"),
        phone_outcomes.did_not_work("unavailable", business=OAK, changing=False),
        phone_outcomes.did_not_work("outcome_unknown", business=OAK, changing=True, maybe_done=True),
        phone_outcomes.did_not_work("broke", business=OAK, changing=True, maybe_done=True),
        phone_outcomes.did_not_open(),
        phone_outcomes.no_longer(),
    ],
}
WINDOWS: dict[str, dict[str, Any]] = {
    "modal_phone_add": phone_windows.add([OAK], metadata=METADATA),
    "modal_phone_add_which": phone_windows.add([OAK, ELM], metadata=METADATA, filled_in=ENTRIES[0]),
    "modal_phone_rename": phone_windows.rename(OAK, FRONT, metadata=METADATA),
    "modal_phone_remove": phone_windows.remove(OAK, FRONT, metadata=METADATA),
    "modal_phone_remove_nameless": phone_windows.remove(NAMELESS, SOME[2], metadata=METADATA),
    "modal_phone_import": phone_windows.bulk([OAK], metadata=METADATA),
    "modal_phone_says": phone_windows.says("Phone numbers", phone_outcomes.no_longer()),
}
