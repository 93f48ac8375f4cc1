"""The window and the posts about disconnecting and erasing, for the golden files."""

from datetime import timedelta
from typing import Any

from support.samples import NOW

from bot.blocks import disconnecting as blocks
from bot.blocks.disconnecting import Choice
from bot.blocks.posts import Post

TIM, ELM = "Tim's Painting Business", "Elm & Sons <!channel> *Roofing*"
COUNTS = {
    "leads": 1_204, "customers": 1_100, "messages": 5_230, "reviews": 1, "phone_numbers": 0, "webhooks": 7_002,
    "posts": 9_871,
}  # fmt: skip
STARTED = NOW + timedelta(hours=24)

POSTS: dict[str, list[Post]] = {
    "disconnect_done": [
        blocks.stopped(TIM, {"legacy": "done", "v4": "done"}, erased_at=None),
        blocks.stopped(ELM, {"legacy": "shared"}, erased_at=None, is_paused=True),
        blocks.stopped(TIM, {"legacy": "refused", "v4": "scope"}, erased_at=STARTED),
        blocks.stopped(None, {}, erased_at=STARTED, was_connected=False),
    ],
    "disconnect_waiting": [blocks.waiting(TIM)],
    "disconnect_nothing": [blocks.nothing_to_stop(), blocks.did_not_open()],
    "erasure_planned": [
        blocks.erasure_planned(TIM, starts_at=STARTED, asked_by="U012AB3CD"),
        blocks.erasure_planned(ELM, starts_at=STARTED, asked_by=None),
    ],
    "erasure_cancelled": [blocks.erasure_cancelled(TIM)],
    "erasure_receipt": [
        blocks.receipt(TIM, "286845156044809661", counts=COUNTS, started_at=STARTED),
        blocks.receipt(
            None, None, counts={"leads": 1, "posts": 2, "threads_left": 3, "posts_left": 1}, started_at=STARTED
        ),
    ],
}

WINDOWS: dict[str, dict[str, Any]] = {
    "disconnect_confirm": blocks.confirm(
        [Choice(business_id=3, name=TIM, is_connected=True)], chosen=None, sealed_url="gAAAAsealed"
    ),
    "disconnect_confirm_of_several": blocks.confirm(
        [
            Choice(business_id=3, name=TIM, is_connected=True),
            Choice(business_id=4, name=ELM * 4, is_connected=False),
            Choice(business_id=5, name=None, is_connected=False),
        ],
        chosen=4,
        sealed_url="gAAAAsealed",
    ),
}
