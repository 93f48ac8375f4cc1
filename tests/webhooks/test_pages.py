"""The pages on the way to Thumbtack: whatever a name holds, it is text."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from webhooks import pages
from webhooks.not_connected import Trouble, told
from webhooks.pages import Link, Page, Sign


class Read(HTMLParser):
    """The tags and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 -- the parser's signature
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def a_page(text: str) -> Page:
    return Page(title=text, lines=(text,), what_to_do=text, sign=Sign.GOOD, link=Link(label=text, url=f"/x?{text}"))


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=80) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=1>', "</style>", "</title><b>", "&lt;", "' onclick='"]
)


@given(TEXT)
def test_whatever_is_told_is_text(text: str):
    harmless, page = Read(pages.html(a_page("x"))), Read(pages.html(a_page(text)))
    assert page.tags == harmless.tags
    assert page.text.count(text) >= 4 or not text


def test_the_style_is_the_one_that_the_browser_may_use():
    page = pages.response(a_page("x"))
    style = re.search(r"<style>(.*?)</style>", page.body.decode(), re.DOTALL)[1]
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in page.headers["content-security-policy"]


def test_every_trouble_says_what_happened_and_what_to_do():
    for trouble in Trouble:
        found = told(trouble, generation=None, redirect_uri=None)
        assert all(text.endswith((".", ")")) and "{" not in text for text in (found.why, found.what_to_do)), trouble
        assert 200 <= found.status < 600
