"""What is told about connections: that one stands, needs a hand, failed to begin, or nears its end."""

from collections.abc import Sequence
from datetime import datetime

from bot import features
from bot.blocks import connecting
from bot.blocks import connections as blocks
from bot.blocks.connecting import Choice, Unfinished
from bot.blocks.connections import Connected, Missing
from bot.blocks.posts import Post
from bot.dispatch.plans import At
from storage import businesses, connections
from storage.connections import LIVE
from storage.models import Business, Connection, ConnectionState, Generation
from webhooks.linking import name_of
from webhooks.not_connected import Trouble, told
from webhooks.tokens import OURS_TO_MEND, SHARED

_WHY = {
    "invalid_grant": "Thumbtack no longer renews what the pro allowed.",
    "expired": "It could not be renewed in time.",
    SHARED: "Its client is shared with another system, so it is not renewed.",
}
_WHY_BROKEN = "Thumbtack no longer accepts it."
_WHY_FAILING = {
    **dict.fromkeys(OURS_TO_MEND, "Thumbtack does not accept our client's id or secret."),
    "unavailable": "Thumbtack cannot be reached.",
    "rate_limited": "Thumbtack asks us to slow down.",
    "outcome_unknown": "Thumbtack's answers are lost on their way.",
}
_WHY_FAILING_ELSE = "Thumbtack does not say why."


async def connected(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """Notice {connection_id, business_ids, by, left_out}."""
    payload = at.entry.payload
    connection = await connections.get(at.tx, payload["connection_id"])
    found = [await businesses.get(at.tx, business_id) for business_id in payload["business_ids"]]
    known = [business for business in found if business is not None]
    if connection is None or connection.state not in LIVE or not known:
        return None
    left_out = await businesses.get(at.tx, payload.get("left_out"))
    return blocks.connected(
        Connected(
            names=tuple(map(name_of, known)),
            works=tuple(features.works(connection.generation, connection.scopes)),
            missing=tuple(await _missing(at, connection, known)),
            by=payload["by"],
            left_out=None if left_out is None else name_of(left_out),
            ends_at=connection.expires_at if connection.renew_at is None else None,
        )
    )


async def _missing(at: At, connection: Connection, known: Sequence[Business]) -> list[Missing]:
    """What these businesses cannot do: over this connection for lack of scopes, nor over the other API."""
    other = Generation.LEGACY if connection.generation == Generation.V4 else Generation.V4
    beside = [await connections.of_business(at.tx, business.id, other) for business in known]
    by_other = [features.works(other, one.scopes) if one is not None else [] for one in beside]
    has_client = other in at.services.consents.offered
    works = features.works(connection.generation, connection.scopes)
    lacks = features.lacks(connection.generation, connection.scopes)
    found = []
    for feature in features.FEATURES:
        if feature.name in works or all(feature.name in one for one in by_other):
            continue
        if feature.name in lacks:
            found.append(Missing(feature=feature.name, scopes=lacks[feature.name]))
        elif feature.name != features.LEADS:  # they come by webhook, whatever is connected
            found.append(Missing(feature=feature.name, other=other, has_client=has_client))
    return [*found, *_missing_webhooks(at, connection)]


def _missing_webhooks(at: At, connection: Connection) -> list[Missing]:
    """What v4's events cannot come for: they are subscribed to as soon as it stands."""
    if connection.generation != Generation.V4:
        return []
    if scopes := features.lacks_webhooks(connection.scopes):
        return [Missing(feature=features.WEBHOOKS.name, scopes=scopes)]
    if at.services.settings.public_url is None:
        return [Missing(feature=features.WEBHOOKS.name, setting="PUBLIC_URL")]
    return []


async def connect_failed(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """Notice {user, generation, trouble}: for who typed a code, or connected."""
    payload = at.entry.payload
    found = told(
        Trouble(payload["trouble"]),
        generation=Generation(payload["generation"]),
        redirect_uri=at.services.consents.callback_url,
    )
    return blocks.failed(title=found.title, why=found.why, what_to_do=found.what_to_do)


async def which_business(at: At, *, ask_keeper: bool) -> Post | None:  # noqa: ARG001 -- the signature of `Made`
    """Notice {user, connection_id}: Thumbtack does not say it."""
    connection = await connections.get(at.tx, at.entry.payload["connection_id"])
    if connection is None or connection.state not in LIVE:
        return None
    known = await businesses.listed(at.tx, environment=connection.environment)
    choices = tuple(Choice(business_id=one.id or 0, name=name_of(one)) for one in known)
    return connecting.which_business(
        Unfinished(connection_id=connection.id or 0, generation=connection.generation, choices=choices)
    )


async def reconnect(at: At, *, ask_keeper: bool) -> Post | None:
    """Notice {connection_id, reason}: nothing where it was connected again meanwhile."""
    connection = await connections.get(at.tx, at.entry.payload["connection_id"])
    if connection is None or connection.state != ConnectionState.BROKEN:
        return None
    return blocks.reconnect(
        connection.id or 0,
        names=await _names(at, connection),
        why=_WHY.get(at.entry.payload.get("reason") or "", _WHY_BROKEN),
        ask_keeper=ask_keeper,
    )


async def renewal_failing(at: At, *, ask_keeper: bool) -> Post | None:
    """Notice {connection_id, reason, ends_at}: nothing where it was renewed meanwhile."""
    payload = at.entry.payload
    connection = await connections.get(at.tx, payload["connection_id"])
    if connection is None or connection.state != ConnectionState.ACTIVE or connection.failing_since is None:
        return None
    return blocks.renewal_failing(
        connection.id or 0,
        names=await _names(at, connection),
        generation=connection.generation,
        why=_WHY_FAILING.get(payload["reason"], _WHY_FAILING_ELSE),
        ends_at=datetime.fromisoformat(payload["ends_at"]),
        is_ours=payload["reason"] in OURS_TO_MEND,
        ask_keeper=ask_keeper,
    )


async def _names(at: At, connection: Connection) -> list[str]:
    return [name_of(one) for one in await connections.businesses_of(at.tx, connection.id or 0)]
