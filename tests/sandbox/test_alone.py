"""The settings that `corkboard sandbox` prints lead a bot to the stand-ins, its consent pages too."""

import asyncio
import io
import os
import shlex
import signal

import httpx
from rich.console import Console
from slack_sdk.web.async_client import AsyncWebClient

from bot import settings
from sandbox.alone import run_alone, settings_lines
from sandbox.outside import CHANNEL, Outside

ADDRESS = "http://127.0.0.1:8100"
BOT = "http://127.0.0.1:8000"


class Screen(io.StringIO):
    """Says when something was written."""

    def __init__(self):
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text):
        self.written.set()
        return super().write(text)

    async def shows(self, text):
        async with asyncio.timeout(60):
            while text not in self.getvalue():
                self.written.clear()
                await self.written.wait()


def printed() -> settings.Settings:
    words = [shlex.split(line) for line in settings_lines(ADDRESS, f"{BOT}/")]
    assert all(word[0] == "export" for word in words)
    given = dict(word[1].split("=", 1) for word in words)
    assert set(map(str.lower, given)) <= settings.Settings.model_fields.keys()
    return settings.load(_env_file=None, **{name.lower(): value for name, value in given.items()})


def test_what_is_printed_can_be_used():
    read = printed()
    assert read.callback_url == f"{BOT}/thumbtack/callback"
    assert read.slack_leads_channel == CHANNEL
    assert read.api_url == f"{ADDRESS}/thumbtack/api"


async def test_both_consent_pages_know_the_client_and_the_way_back():
    read, world = printed(), Outside()
    world.meet(address=ADDRESS, bot_url=f"{BOT}/")
    common = {"response_type": "code", "state": "12345678", "redirect_uri": read.callback_url}
    legacy = common | {"client_id": read.thumbtack_legacy_client_id, "scope": "messages"}
    newer = common | {"client_id": read.thumbtack_client_id, "scope": "offline_access", "audience": "urn:partner-api"}
    links = [
        httpx.URL(read.thumbtack_legacy_connect_url, params=legacy),
        httpx.URL(f"{read.auth_url}/auth", params=newer),
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app)) as browser:
        for link in links:
            page = await browser.get(link)
            assert (page.status_code, "Bright Oak Painting" in page.text) == (200, True)
            assert (await world.thumbtack.consent(str(link))).startswith(f"{BOT}/thumbtack/callback")
    await world.aclose()


async def test_it_serves_tells_and_stops():
    out, err = Screen(), Screen()
    running = asyncio.create_task(run_alone(Console(file=out), Console(file=err), port=0, bot_url="http://127.0.0.1:9"))
    await err.shows("until Ctrl-C")
    assert "Then start the bot there: corkboard serve --port 9\n" in err.getvalue()
    lines = dict(line.removeprefix("export ").split("=", 1) for line in out.getvalue().splitlines())
    assert lines["PUBLIC_URL"] == "http://127.0.0.1:9"
    address = lines["THUMBTACK_LEGACY_API_URL"].removesuffix("/thumbtack/legacy")
    async with httpx.AsyncClient(base_url=address, trust_env=False) as curl:
        assert (await curl.post("/lead")).status_code == 502
        said = {"user": "U0ANA", "channel": CHANNEL, "text": "Is anybody here?"}
        await curl.post("/slack/control/say", json=said)
    await err.shows("Is anybody here?")
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(60):
        await running
    assert err.getvalue().endswith("\nStopped.\n")


async def test_over_socket_mode_it_tells_the_token_with_which_slack_is_reached():
    out, err = Screen(), Screen()
    running = asyncio.create_task(run_alone(Console(file=out), Console(file=err), port=0, bot_url=BOT, socket=True))
    await err.shows("until Ctrl-C")
    lines = dict(line.removeprefix("export ").split("=", 1) for line in out.getvalue().splitlines())
    assert "SLACK_SIGNING_SECRET" not in lines
    client = AsyncWebClient(base_url=lines["SLACK_API_URL"], retry_handlers=[])
    ticket = await client.apps_connections_open(app_token=lines["SLACK_APP_TOKEN"])
    assert str(ticket["url"]).startswith("ws://127.0.0.1:")
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        await running
