"""docs/install.md, followed to the letter by somebody with no access to any API of Thumbtack, up to the card marked TEST."""

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import httpx
from support.papers import ROOT, coded, rows, spoken, text

from sandbox import outside
from sandbox.demo.bot_process import running_bot
from sandbox.outside import CHANNEL, Outside
from sandbox.servers import serving

PAGE = ROOT / "docs/install.md"
PATIENCE = 30.0


def filled_in(folder: Path, *, slack: str) -> None:
    """Copy the example and fill in what the page calls enough; Slack alone is a stand-in."""
    enough = [name for row in rows("docs/install.md", "By hand instead") for name in coded(row[0])]
    ours = outside.settings(slack, bot_url="https://corkboard.example.com")
    given = {name: ours[name] for name in enough} | {"SLACK_API_URL": ours["SLACK_API_URL"]}
    lines = text(".env.example").splitlines()
    written = [f"{name}={given[name]}" if (name := line.partition("=")[0]) in given else line for line in lines]
    assert set(given) <= {line.partition("=")[0] for line in written}
    (folder / ".env").write_text("\n".join(written))


async def typed(command: str, *, folder: Path) -> int:
    """Type a command of ours in a folder; its exit code."""
    words = command.split()[1:]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot.cli", *words, cwd=folder)
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


async def test_who_follows_it_sees_a_card_marked_test(tmp_path):
    shutil.copytree(ROOT / "tests/payloads", tmp_path / "tests/payloads")
    world = Outside()
    async with serving(world.app) as slack:
        filled_in(tmp_path, slack=slack)
        async with running_bot({}, folder=tmp_path) as bot, httpx.AsyncClient(base_url=await bot.address()) as browser:
            ready = await browser.get("/readyz")
            assert f"answers `{ready.text}`" in PAGE.read_text()

            (replay,) = [told for _, told in spoken("corkboard inbox replay", among=[PAGE])]
            assert await typed(f"{replay} --url {browser.base_url}", folder=tmp_path) == 0
            await world.slack.wait_until(lambda: len(world.slack.messages(CHANNEL)) == 1, timeout=PATIENCE)

            (address,) = re.findall(r"The address is `https://corkboard\.example\.com(/[\w/]+)`", PAGE.read_text())
            delivery = json.loads((tmp_path / "tests/payloads/v4_negotiation_test.json").read_text())
            screen = (outside.WEBHOOK_USERNAME, outside.WEBHOOK_PASSWORD)
            assert (await browser.post(address, json=delivery, auth=screen)).status_code == 200
            await world.slack.wait_until(lambda: len(world.slack.messages(CHANNEL)) == 2, timeout=PATIENCE)
        await world.aclose()
    assert [card["text"].partition(" ")[0] for card in world.slack.messages(CHANNEL)] == ["TEST", "TEST"]
    assert bot.mistakes == []
