"""What Slack's client makes of typed text: escaped text with Slack's markup, and rich_text that says the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack.block_kit import judge_blocks
from sandbox.slack.composing import EMOJI, Composer

COMPOSER = Composer({**EMOJI, "corkboard": None})


def section(*elements) -> dict:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(text, **style) -> dict:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def link(url, **rest) -> dict:
    return {"type": "link", "url": url, **rest}


WAVE = {"type": "emoji", "name": "wave", "unicode": "1f44b"}

INLINE = [
    ("hello", "hello", [text("hello")]),
    ("5 < 6 & 7 > 2", "5 &lt; 6 &amp; 7 &gt; 2", [text("5 < 6 & 7 > 2")]),
    ("&amp;", "&amp;amp;", [text("&amp;")]),
    ("hi :wave:!", "hi :wave:!", [text("hi "), WAVE, text("!")]),
    ("hi 👋", "hi :wave:", [text("hi "), WAVE]),
    ("👍🏽", ":+1::skin-tone-4:", [{"type": "emoji", "name": "+1", "unicode": "1f44d-1f3fd", "skin_tone": 4}]),
    (
        ":+1::skin-tone-2:",
        ":+1::skin-tone-2:",
        [{"type": "emoji", "name": "+1", "unicode": "1f44d-1f3fb", "skin_tone": 2}],
    ),
    ("⚠️", ":warning:", [{"type": "emoji", "name": "warning", "unicode": "26a0-fe0f"}]),
    ("⚠", ":warning:", [{"type": "emoji", "name": "warning", "unicode": "26a0-fe0f"}]),
    (":corkboard:", ":corkboard:", [{"type": "emoji", "name": "corkboard"}]),
    ("at 10:30:45, :nosuchthing:", "at 10:30:45, :nosuchthing:", [text("at 10:30:45, :nosuchthing:")]),
    ("<@U0BEN> look", "<@U0BEN> look", [{"type": "user", "user_id": "U0BEN"}, text(" look")]),
    ("<#C0LEADS|leads>", "<#C0LEADS|leads>", [{"type": "channel", "channel_id": "C0LEADS"}]),
    ("<!subteam^S0CREW>", "<!subteam^S0CREW>", [{"type": "usergroup", "usergroup_id": "S0CREW"}]),
    ("<!here>", "<!here>", [{"type": "broadcast", "range": "here"}]),
    ("<!nobody>", "&lt;!nobody&gt;", [text("<!nobody>")]),
    (
        "see https://example.com/?a=1&b=2.",
        "see <https://example.com/?a=1&amp;b=2>.",
        [text("see "), link("https://example.com/?a=1&b=2"), text(".")],
    ),
    (
        "<https://example.com/?a&b|our & page>",
        "<https://example.com/?a&amp;b|our &amp; page>",
        [link("https://example.com/?a&b", text="our & page")],
    ),
    ("*bold* and _it_", "*bold* and _it_", [text("bold", bold=True), text(" and "), text("it", italic=True)]),
    ("~no~ `a < *b*`", "~no~ `a &lt; *b*`", [text("no", strike=True), text(" "), text("a < *b*", code=True)]),
    ("*hi :wave:*", "*hi :wave:*", [text("hi ", bold=True), {**WAVE, "style": {"bold": True}}]),
    ("2 * 3 * 4 snake_case_name", "2 * 3 * 4 snake_case_name", [text("2 * 3 * 4 snake_case_name")]),
]


@pytest.mark.parametrize(("typed", "expected", "elements"), INLINE)
def test_one_line(typed, expected, elements):
    assert COMPOSER.compose(typed) == (expected, [section(*elements)])


def test_quotes_lists_and_code_stand_on_their_own():
    typed = "Hello\nthere\n> she said\n> so\n- one\n* two\nbye\n```\nx < y\n```\nend"
    composed, elements = COMPOSER.compose(typed)
    assert composed == "Hello\nthere\n&gt; she said\n&gt; so\n• one\n• two\nbye\n```x &lt; y```\nend"
    assert elements == [
        section(text("Hello\nthere\n")),
        {"type": "rich_text_quote", "elements": [text("she said\nso")]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "indent": 0,
            "border": 0,
            "elements": [section(text("one")), section(text("two"))],
        },
        section(text("bye\n")),
        {"type": "rich_text_preformatted", "elements": [text("x < y")], "border": 0},
        section(text("end")),
    ]


def test_nothing_typed_makes_no_elements():
    assert COMPOSER.compose("") == ("", [])


@given(st.text(alphabet="ab :*_~`<>&@#!|\n-•👋👍🏽/https.0U", max_size=60))
def test_whatever_is_typed_slack_would_take_it(typed):
    composed, elements = COMPOSER.compose(typed)
    assert "&" not in composed.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    if elements:
        assert judge_blocks([{"type": "rich_text", "elements": elements}]) == []


@given(st.text(alphabet="ab &<;é\U0001f9ff", min_size=1, max_size=60))
def test_both_forms_say_what_was_typed(typed):
    composed, [only] = COMPOSER.compose(typed)
    assert composed.replace("&lt;", "<").replace("&amp;", "&") == typed
    assert "".join(element["text"] for element in only["elements"]) == typed
