"""The page's addresses: its files, its news, and whom it lets in."""

import asyncio
import hashlib
import json
import re
from importlib import resources

import httpx
import pytest

from sandbox.pages import guard, stream

STATIC = resources.files("sandbox.pages") / "static"
IMPORTED = re.compile(r'^import .* from "(/page/[^"]+)";$', re.MULTILINE)
TAKEN = "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7"
"""Of htm/preact/standalone.module.js in the npm package htm 3.1.1."""


def scripts():
    """Our own, by the address that each is served at."""
    files = [file for folder in (STATIC, *STATIC.iterdir()) if folder.is_dir() for file in folder.iterdir()]
    return {f"/page/{file.relative_to(STATIC)}": file for file in files if file.suffix == ".js"}


def own():
    return {at: file.read_text() for at, file in scripts().items() if "/vendor/" not in at}


async def test_a_browser_gets_the_page_and_a_terminal_the_text(browser):
    page = await browser.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<script type="module" src="/page/app.js">' in page.text
    assert (await browser.get("/", headers={"accept": "*/*"})).text == "Nothing happened yet.\n"


async def test_nothing_from_outside_and_nothing_inline_can_run(browser):
    for path in ("/", "/page/app.js", "/page/page.css", "/page/not-there.js"):
        headers = (await browser.get(path)).headers
        assert guard.HEADERS.items() <= {name.title(): value for name, value in headers.items()}.items()
    policy = guard.HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", text)
    for at, script in own().items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|\beval\(|https?://(?!html|docs)[a-z]", script), at


async def test_every_file_that_the_page_asks_for_is_there(browser):
    wanted, seen = ["/page/app.js"], set()
    while wanted:
        address = wanted.pop()
        answer = await browser.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8"), address
        seen.add(address)
        wanted += set(IMPORTED.findall(answer.text)) - seen
    assert seen == scripts().keys()  # and none lies there for nothing
    for sheet in re.findall(r'href="(/page/[^"]+)"', (STATIC / "index.html").read_text()):
        assert (await browser.get(sheet)).headers["content-type"] == "text/css; charset=utf-8"


def test_what_others_wrote_is_unchanged_and_says_its_terms():
    vendor = STATIC / "vendor"
    assert hashlib.sha256((vendor / "preact-htm.js").read_bytes()).hexdigest() == TAKEN
    assert "Apache License" in (vendor / "LICENSE-htm").read_text()
    assert "The MIT License" in (vendor / "LICENSE-preact").read_text()


def test_no_script_is_longer_than_a_file_of_this_house():
    for at, script in own().items():
        assert script.count("\n") < 300, at
        assert script.startswith("// "), f"{at} does not open with a sentence"


@pytest.mark.parametrize("name", ["../site.py", "vendor/../../site.py", "%2e%2e/site.py", "", "vendor", "none.js"])
async def test_nothing_but_the_pages_own_files_is_served(browser, name):
    assert (await browser.get(f"/page/{name}")).status_code == 404


CONSENT = "/thumbtack/oauth2/auth"
READ = ("/", "/page/app.js", "/page/events?as=U0ANA", "/slack/control", "/olga", CONSENT)
DONE = ("/lead", "/olga", "/archive", "/slack/control/say", CONSENT)
"""What a person does from a shell; the last one is a form."""


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:8100", "127.0.0.1.example", "[::2]", "", "["])
async def test_another_sites_name_for_this_machine_sees_nothing(browser, world, host):
    for path in READ:
        answer = await browser.get(path, headers={"host": host, "accept": "*/*"})
        assert (answer.status_code, "127.0.0.1" in answer.text) == (403, False)
    body = {"deed": "say", "as": "U0ANA", "args": {"channel": "C0LEADS", "text": "Hi"}}
    answer = await browser.post("/page/do", json=body, headers={"host": host, "origin": f"http://{host}"})
    assert answer.status_code == 403
    for path in DONE:
        assert (await browser.post(path, content="Hi", headers={"host": host})).status_code == 403
    assert world.slack.messages("C0LEADS") == []
    assert not world.thumbtack.world.leads


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:8101", "https://127.0.0.1:8100", None]
)
async def test_another_sites_page_does_nothing(browser, world, origin):
    del browser.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    body = {"deed": "say", "as": "U0ANA", "args": {"channel": "C0LEADS", "text": "Hi"}}
    assert (await browser.post("/page/do", json=body, headers=headers)).status_code == 403
    if origin is not None:
        for path in DONE:
            assert (await browser.post(path, content="Hi", headers=headers)).status_code == 403
    assert world.slack.messages("C0LEADS") == []
    assert not world.thumbtack.world.leads


async def test_the_bot_calls_by_whatever_name_it_has_for_this_machine(browser):
    answer = await browser.post("/slack/api/api.test", headers={"host": "host.docker.internal", "origin": "null"})
    assert answer.status_code == 200


@pytest.mark.parametrize("address", ["http://localhost:8100", "http://[::1]:8100"])
async def test_this_machine_has_several_names(browser, address):
    answer = await browser.get(f"{address}/", headers={"origin": address})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "line 1"),
        (b"[]", "The body is an object"),
        (b'{"deed": "say", "as": "U0ANA", "args": []}', "The body is an object"),
        (b'{"deed": "fly", "as": "U0ANA"}', "Nobody can fly here."),
        (b'{"deed": ["say"], "as": "U0ANA"}', "Nobody can"),
        (b'{"deed": "say", "as": "U0NOBODY"}', "nobody here is U0NOBODY"),
        (b'{"deed": "say", "as": "U0ANA", "args": {}}', "channel"),
        (b'{"deed": "say", "as": "U0ANA", "args": {"channel": "C0NONE", "text": "Hi"}}', "no channel is C0NONE"),
        (b'"' + b"x" * 400_001, "That is too long."),
    ],
)
async def test_what_cannot_be_done_is_told(browser, body, sentence):
    answer = await browser.post("/page/do", content=body)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


async def states(address, user="U0ANA"):
    """What the page hears, event by event; a heartbeat is None."""
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:  # noqa: SIM117 -- the stream is of the client
        async with client.stream("GET", "/page/events", params={"as": user}) as news:
            assert news.headers["content-type"] == "text/event-stream; charset=utf-8"
            async for line in news.aiter_lines():
                if line:
                    yield json.loads(line.removeprefix("data: ")) if line.startswith("data:") else None


async def test_the_page_hears_what_changes_once_for_changes_that_come_together(world):
    async with world.serve() as address:
        news = states(address)
        assert (await anext(news))["slack"]["channels"][0]["messages"] == []
        for text in ("One", "Two", "Three"):
            await world.slack.bot_says("C0LEADS", text)
        said = [message["text"] for message in (await anext(news))["slack"]["channels"][0]["messages"]]
        assert said == ["One", "Two", "Three"]
        await news.aclose()


async def test_half_a_character_does_no_harm(world, browser):
    args = {"channel": "C0LEADS", "text": "cut \ud83d"}
    body = json.dumps({"deed": "say", "as": "U0ANA", "args": args})
    assert (await browser.post("/page/do", content=body)).status_code == 200
    await world.slack.bot_says(**args)  # whoever else may say it
    async with world.serve() as address:
        news = states(address)
        said = [one["text"] for one in (await anext(news))["slack"]["channels"][0]["messages"]]
        assert said == ["cut \ufffd", "cut \ud83d"]
        await news.aclose()


async def test_news_go_to_nobody_who_is_not_there(browser):
    for who in ("", "?as=U0NOBODY"):
        assert (await browser.get(f"/page/events{who}")).status_code == 404


async def test_silence_is_broken_so_that_the_connection_is_known_to_live(world, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT", 0.01)
    async with world.serve() as address:
        news = states(address)
        await anext(news)
        assert await anext(news) is None
        await news.aclose()


async def test_an_open_page_is_let_go_at_the_end_and_not_cut_off(world):
    async with asyncio.timeout(60):
        async with world.serve() as address:
            news = states(address)
            await anext(news)
        assert [one async for one in news] == []  # an answer that is cut off raises here
