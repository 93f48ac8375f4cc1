"""What people are told about pauses, one of each kind."""

from datetime import timedelta

from support.samples import NOW

from bot.blocks import targeting
from bot.blocks.posts import Post
from bot.blocks.targeting import Cannot, Subject
from bot.times import Refusal

OLGA = "U056JK7LM"
WHOLE = Subject(business="Tim's Painting Business")
PAINTING = Subject(business="Tim's Painting Business", category="Interior Painting")
HOSTILE = Subject(business="*Paint* & <!channel> `Co`", category="<@U012AB3CD> _Walls_ :tada:")
LATER = NOW + timedelta(hours=2)
CATEGORIES = [("109125193401647362", "Interior Painting"), ("109125193401647363", "Exterior Painting")]

POSTS: dict[str, list[Post]] = {
    "targeting_asked": [
        targeting.asked(WHOLE, enabled=False, when="for 2h"),
        targeting.asked(PAINTING, enabled=True, when=None),
    ],
    "targeting_confirmed": [
        targeting.confirmed(WHOLE, enabled=False, until=LATER, by=OLGA, undo_id=7),
        targeting.confirmed(PAINTING, enabled=False, until=None, by=OLGA, undo_id=8),
        targeting.confirmed(
            WHOLE, enabled=True, until=None, by=OLGA, undo_id=None, still_paused=["Interior Painting", "*Decks*"]
        ),
        targeting.confirmed(HOSTILE, enabled=False, until=LATER, by=None, undo_id=7),
    ],
    "targeting_waits": [targeting.waits(PAINTING, enabled=False), targeting.replaced(WHOLE, enabled=True)],
    "targeting_failed": [
        targeting.failed(WHOLE, Cannot.BAD_REQUEST, enabled=False, detail="*Not* now <!here>."),
        targeting.failed(WHOLE, Cannot.RECONNECT, enabled=True, goes_on=True),
        targeting.failed(PAINTING, "never_heard_of", enabled=True),
    ],
    "targeting_refused": [
        targeting.no_business(),
        targeting.too_long(),
        targeting.no_time_for_resume(),
        targeting.nothing_before(),
        targeting.already(),
        *(targeting.bad_time(refusal) for refusal in Refusal),
    ],
    "targeting_choose_business": [
        targeting.choose_business(
            [(1, "Tim's Painting Business"), (2, "*Decks*")], block_id="pause|0123456789abcdef|for 2h", enabled=False
        ),
        targeting.choose_business([(n, f"Business {n}") for n in range(101)], block_id="resume|0|", enabled=True),
    ],
    "targeting_choose_category": [
        targeting.choose_category("extrior <!here>", CATEGORIES, block_id="pause|0123|7 for 2h", subject=WHOLE),
        targeting.choose_category("decks", [], block_id="pause|0123|7", subject=WHOLE),
    ],
    "notice_resumed": [
        targeting.resumed_by_itself(WHOLE, since=None),
        targeting.resumed_by_itself(PAINTING, since=LATER),
    ],
    "notice_pause_recalled": [targeting.recalled(WHOLE, 7, by=OLGA, since=NOW)],
    "notice_resume_failing": [
        targeting.resume_failing(PAINTING, Cannot.NO_SUCH_CATEGORY, since=LATER, row_id=7),
        targeting.resume_failing(
            WHOLE, Cannot.NO_ANSWER, since=LATER, row_id=7, detail="Service is away.", ask_keeper=True
        ),
    ],
    "notice_resume_mended": [targeting.resume_mended(WHOLE)],
}
