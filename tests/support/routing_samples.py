"""What people see of where leads go and of what Corkboard works in, one sample of each kind."""

from datetime import UTC, datetime, timedelta

from bot.blocks import offers, recent, surroundings
from bot.blocks import settings_routes as routes
from bot.blocks.posts import Post
from storage.models import Business, Environment, Route
from storage.rules import Rule

NOW = datetime(2026, 8, 3, 17, 30, tzinfo=UTC)
ANA, OLGA, CREW = "U0ANA", "U0OLGA", "S0CREW"
LEADS, PAINT = "C0LEADS", "C0PAINT"
OAK = "510000000000000101"
NAMES = {OAK: "Bright Oak Home Services", "510000000000000202": "Elm & Sons"}

BUSINESSES = [
    Business(id=number, environment=Environment.PRODUCTION, thumbtack_id=thumbtack_id, name=name, created_at=NOW)
    for number, (thumbtack_id, name) in enumerate(NAMES.items(), start=1)
]
RULES = [
    Route(id=1, position=0, business=OAK, min_cents=2550, channel=PAINT, ring=[ANA]),
    Route(id=2, position=1, category="Interior <Painting>", zip_prefix="943", channel=PAINT, ring=[]),
    Route(id=3, position=2, channel=LEADS, ring=[CREW]),
]
MANY = [Route(id=n, position=n, zip_prefix=f"{n:03}", channel=PAINT, ring=[]) for n in range(1, 301)]
SAID = [
    recent.Line(
        at=NOW - timedelta(days=90), text="Do you also do doors?\nTwo <!channel> of them.", name="Maya Alvarez"
    ),
    recent.Line(at=NOW - timedelta(days=89), text="Yes, we do.", name="The team"),
    recent.Line(at=NOW - timedelta(days=89), text="", name=None),
]

POSTS: dict[str, list[Post]] = {
    "recent": list(filter(None, [recent.recent(SAID, before=recent.address(LEADS, "1785000000.000100"))])),
    "recent_after_deletion": list(filter(None, [recent.recent(SAID[:1], before=None)])),
    "lead_continues": [
        recent.signpost("Painting &amp; &lt;Decor&gt; · Palo Alto, CA", recent.address(LEADS, "1785000000.000100")),
        recent.signpost(None, recent.address(LEADS, "1785000000.000100")),
    ],
    "channel_offer": [offers.offer(1, by=OLGA), offers.offer(1, by=None)],
    "channel_taken": [
        offers.posted_here(by=OLGA, business="Bright Oak Home Services"),
        offers.posted_here(by=OLGA, business=None),
    ],
    "notice_channel_closed": [
        surroundings.channel_closed(PAINT, reason="is_archived", goes=LEADS, row_id=7),
        surroundings.channel_closed(PAINT, reason="not_in_channel", goes=None, row_id=7, ask_keeper=True),
        surroundings.channel_closed(PAINT, reason="channel_not_found", goes=LEADS, row_id=7),
        surroundings.channel_closed(PAINT, reason="restricted_action", goes=LEADS, row_id=7),
    ],
    "notice_cut_off": [
        surroundings.cut_off("app_uninstalled", at=NOW, row_id=7),
        surroundings.cut_off("tokens_revoked", at=NOW, row_id=7, ask_keeper=True),
    ],
    "notice_not_heard": [surroundings.not_heard()],
    "notice_person_left": [
        surroundings.person_left(ANA, leads=1, businesses=[], row_id=7),
        surroundings.person_left(ANA, leads=0, businesses=["Bright Oak", None, *"ABCDE"], row_id=7, ask_keeper=True),
    ],
}
"""Posts by name."""

_TRIED = [
    routes.Tried(number=1, rule=RULES[0], misfit="cost"),
    routes.Tried(number=2, rule=RULES[1], misfit=None),
    routes.Tried(number=3, rule=RULES[2], misfit=None),
]

WINDOWS = {
    "modal_routes": routes.routes_window(RULES, NAMES, page=0, default=LEADS),
    "modal_routes_none": routes.routes_window([], NAMES, page=3, default=None),
    "modal_routes_many": routes.routes_window(MANY, NAMES, page=1, default=LEADS),
    "modal_route_new": routes.form(None, NAMES, carried="{}"),
    "modal_route_edit": routes.form(
        Rule(channel=PAINT, business="77", zip_prefix="943", min_cents=2550, ring=(ANA, CREW)), NAMES, carried="{}"
    ),
    "modal_route_of_many": routes.form(None, {str(n): f"Business {n}" for n in range(200)}, carried="{}"),
    "modal_route_saved": routes.saved(),
    "modal_route_try": routes.try_window([(1, "Interior Painting · Palo Alto · 94301"), (2, "Handyman")]),
    "modal_route_try_none": routes.try_window([]),
    "modal_route_tried": routes.result_window(
        "Interior Painting · 94301", _TRIED, NAMES, channel=PAINT, rule=2, instead_of=None, ring=(ANA,)
    ),
    "modal_route_tried_closed": routes.result_window(
        "Handyman", _TRIED, NAMES, channel=LEADS, rule=None, instead_of=PAINT, ring=()
    ),
    "modal_route_tried_nowhere": routes.result_window(
        "Handyman", [], NAMES, channel=None, rule=None, instead_of=None, ring=()
    ),
    "modal_channel_offer": offers.window(BUSINESSES, channel_id=PAINT, carried="{}"),
}
"""Windows by name."""
