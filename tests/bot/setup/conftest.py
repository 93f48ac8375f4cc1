"""The Slack that setup asks."""

from collections.abc import AsyncIterator

import pytest
from support.setting_up import SECRET, TOKEN

from sandbox.slack import SlackStandIn


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    stand_in = SlackStandIn(bot_token=TOKEN, signing_secret=SECRET)
    async with stand_in.serve() as url:
        stand_in.url = url  # type: ignore[attr-defined]  # where the program finds it
        yield stand_in
