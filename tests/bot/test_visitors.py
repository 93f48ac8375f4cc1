"""Who opens one of our addresses in a browser reads a page; programs get what they always got."""

import re
from collections.abc import AsyncIterator

import pytest
from support.office import Office, office

from bot import visitors
from webhooks.pages import HEADERS
from webhooks.problems import REASONS

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAMS = ({"accept": "*/*"}, {"accept": "application/json"}, {"accept": "application/json, text/plain, */*"})

SAME = ("allow", "www-authenticate")


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Office]:
    """Nothing here depends on the kind of database."""
    async with office(sqlite_url) as running:
        yield running


def title(text: str) -> str:
    return re.search(r"<h1>(.*?)</h1>", text)[1]


@pytest.mark.parametrize(
    ("path", "status", "read"),
    [
        ("/", 200, "Corkboard is running"),
        ("/nothing", 404, "There is nothing at this address"),
        ("/v1/lead", 405, "This address is for Thumbtack"),
        ("/v1/lead/update", 405, "This address is for Thumbtack"),
        ("/staging/v4/webhooks/510000000000000101/", 405, "This address is for Thumbtack"),
        ("/slack/events", 405, "This address is for Slack"),
        ("/metrics", 401, "These figures are not for everybody"),
    ],
)
async def test_a_person_reads_a_page(place: Office, path: str, status: int, read: str):
    page = await place.http.get(path, headers=BROWSER | {"x-forwarded-for": "192.0.2.1"})
    assert (page.status_code, title(page.text)) == (status, read)
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    for program in PROGRAMS:
        answer = await place.http.get(path, headers=program | {"x-forwarded-for": "192.0.2.1"})
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.status_code == (404 if path == "/" else status)
        assert {answer.headers["vary"], page.headers["vary"]} == {"Accept"}
        if path != "/":
            assert [answer.headers.get(name) for name in SAME] == [page.headers.get(name) for name in SAME]


async def test_who_brings_something_never_gets_a_page(place: Office):
    """Java's own client says that it takes HTML."""
    java = {"accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
    for method, path in (("POST", "/v1/lead"), ("PUT", "/v1/lead"), ("POST", "/"), ("POST", "/nothing")):
        answer = await place.http.request(method, path, headers=java, json={})
        assert (path, answer.headers["content-type"]) == (path, "application/problem+json")


async def test_a_mistake_is_a_page_too(place: Office, monkeypatch: pytest.MonkeyPatch):
    async def broken(*_: object) -> None:
        raise ValueError("what a customer wrote")

    monkeypatch.setattr(type(place.door.app.state.services.consents), "consent_page", broken)
    place.http._transport.raise_app_exceptions = False
    page = await place.http.get("/thumbtack/connect?state=x", headers=BROWSER)
    assert (page.status_code, title(page.text)) == (500, "Corkboard made a mistake")
    assert "customer" not in page.text


def test_every_page_says_what_happened_and_what_is_next():
    assert visitors.TOLD.keys() < REASONS.keys()
    for page in (*visitors.TOLD.values(), visitors.WELCOME, visitors.FOR_SLACK, visitors.FOR_THUMBTACK):
        assert not page.title.endswith("."), page.title
        assert all(text.endswith(".") for text in (*page.lines, page.what_to_do)), page.title
