"""What is shown about connecting, as data for the golden files."""

from datetime import UTC, datetime

from bot.blocks import connecting, connections
from bot.blocks.connecting import Choice, Unfinished
from bot.blocks.connections import Connected, Missing

OLGA = "U0OLGA"
TIM = "Tim's Painting Business"
ELM = "Elm & Sons <Roofing> *fast*"
ENDS_AT = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
WAYS = {
    "v4": "https://leads.example.com/thumbtack/connect?state=gAAAAABone",
    "legacy": "https://leads.example.com/thumbtack/connect?state=gAAAAABtwo",
}
PICK = Unfinished(
    connection_id=3, generation="v4", choices=(Choice(business_id=1, name=TIM), Choice(business_id=2, name=ELM))
)
CROWD = Unfinished(
    connection_id=3,
    generation="v4",
    choices=tuple(Choice(business_id=number, name=f"Business {number}") for number in range(1, 130)),
)
PHONES = Missing(
    feature="phone numbers",
    scopes=("supply::businesses/associate-phone-numbers.read", "supply::businesses/associate-phone-numbers.write"),
)
TARGETING = Missing(feature="targeting", other="legacy", has_client=True)
UNREACHED = Missing(feature="webhooks", setting="PUBLIC_URL")

POSTS = {
    "connect_offers": [connecting.offers(WAYS)],
    "connect_offers_one": [
        connecting.offers({"legacy": WAYS["legacy"]}, shared_client=True, unfinished=[PICK]),
        connecting.offers({"v4": WAYS["v4"]}),
    ],
    "connect_cannot": [
        connecting.no_public_url(),
        connecting.no_client("https://leads.example.com/thumbtack/callback", can_reply=True),
        connecting.no_client("https://leads.example.com/thumbtack/callback", can_reply=False),
        connecting.not_set_up("legacy"),
    ],
    "connect_which": [
        connecting.which_business(PICK),
        connecting.which_business(CROWD),
        connecting.which_business(Unfinished(connection_id=3, generation="v4", choices=())),
        connecting.picked(ELM),
    ],
    "connect_again": [
        connecting.again(WAYS["legacy"], names=[TIM, ELM], generation="legacy"),
        connecting.again(WAYS["v4"], names=[], generation="v4"),
        connecting.over(),
        connecting.did_not_open(),
    ],
    "notice_connected": [
        connections.connected(Connected(names=(TIM,), works=("messages", "targeting"), missing=(), by=OLGA)),
        connections.connected(
            Connected(names=(TIM, ELM), works=("leads", "messages"), missing=(PHONES, TARGETING), by=OLGA)
        ),
        connections.connected(Connected(names=(TIM,), works=("leads",), missing=(UNREACHED,), by=OLGA)),
        connections.connected(
            Connected(
                names=(ELM,),
                works=(),
                missing=(Missing(feature="phone numbers", other="v4"),),
                by=OLGA,
                left_out=TIM,
                ends_at=ENDS_AT,
            )
        ),
    ],
    "notice_connect_failed": [
        connections.failed(
            title="Thumbtack no longer takes this code",
            why="A code is good once, and for 5 minutes.",
            what_to_do="In Slack, type /thumbtack connect to try again.",
        )
    ],
    "notice_reconnect": [
        connections.reconnect(3, names=[TIM], why="It could not be renewed in time.", ask_keeper=False),
        connections.reconnect(3, names=[], why="Thumbtack no longer accepts it.", ask_keeper=True),
    ],
    "notice_renewal_failing": [
        connections.renewal_failing(
            3,
            names=[TIM],
            generation="legacy",
            why="Thumbtack cannot be reached.",
            ends_at=ENDS_AT,
            is_ours=False,
            ask_keeper=False,
        ),
        connections.renewal_failing(
            3,
            names=[ELM],
            generation="v4",
            why="Thumbtack does not accept our client's id or secret.",
            ends_at=ENDS_AT,
            is_ours=True,
            ask_keeper=True,
        ),
    ],
}
WINDOWS = {
    "modal_connect_code": connecting.code_window(["v4", "legacy"]),
    "modal_connect_code_one": connecting.code_window(["legacy"]),
}
