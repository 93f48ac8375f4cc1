"""What people set for a channel, through the windows of `/thumbtack settings`."""

from typing import Any

from support.office import ADMIN, Office


async def opened(place: Office, *, user: str = ADMIN) -> None:
    """Somebody opens the part about what goes out, and nothing else is open."""
    while place.window(user):
        await place.slack.close_view(user)
    assert await place.command("settings", user=user) == ""
    assert (await place.press("settings_channel", user=user)).ok


async def choose(place: Office, *, user: str = ADMIN, **answers: Any) -> str:
    """Somebody sets what goes out from the channel in which they type the command; what they read then."""
    await opened(place, user=user)
    assert await place.submit(answers, user=user) == {}
    told = shown(place, user=user)
    await place.at_rest()
    return told


def shown(place: Office, *, user: str = ADMIN) -> str:
    """What stands in the window that a person looks at."""
    view = place.window(user)
    assert view is not None, f"{user} looks at no window"
    told: str = place.read(view)
    return told


def chosen(place: Office, *, user: str = ADMIN) -> dict[str, str]:
    """Which answers stand in the window that a person looks at, by action_id."""
    view = place.window(user)
    assert view is not None, f"{user} looks at no window"
    radios = [one["element"] for one in view["blocks"] if one.get("element", {}).get("type") == "radio_buttons"]
    return {one["action_id"]: one["initial_option"]["value"] for one in radios}
