"""What a person would see of a Slack message, as lines for a terminal."""

import json
from pathlib import Path

import pytest

from sandbox.reading import Reader, marks
from sandbox.slack import SlackStandIn

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture
def slack() -> SlackStandIn:
    return SlackStandIn(bot_token="xoxb-1", signing_secret="secret")


@pytest.fixture
def reader(slack: SlackStandIn) -> Reader:
    return Reader(slack.workspace)


def read(reader: Reader, *blocks: dict, **message) -> list[str]:
    return [line.plain for line in reader.lines({"text": "", "blocks": list(blocks), **message})]


def mrkdwn(text: str) -> dict:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("*Bold*, _italic_ and `code`", "Bold, italic and code"),
        ("a_snake_case, 2 * 3 * 4", "a_snake_case, 2 * 3 * 4"),
        (":bell: <!subteam^S0CREW> <@U0ANA> in <#C0LEADS>", "🔔 @crew @Ana in #leads"),
        ("<@U0NOBODY> <!subteam^S0NONE> <#C0NONE> <!here>", "@U0NOBODY !subteam^S0NONE #C0NONE @here"),
        ("<https://example.com|a &amp; b> &lt;c&gt; &#39;", "a & b <c> &#39;"),
        ("<https://example.com?a=1&amp;b=2>", "https://example.com?a=1&b=2"),
        ("at <!date^0^{unknown_form}|the beginning>", "at the beginning"),
        ("at 10:30:45 :no_such_emoji:", "at 10:30:45 :no_such_emoji:"),
        ("two\n\nparagraphs", "two\n\nparagraphs"),
    ],
)
def test_markup_is_read(reader, source, seen):
    assert read(reader, mrkdwn(source)) == seen.split("\n")
    assert [line.plain for line in reader.lines({"text": source})] == seen.split("\n")


def test_dates_are_shown_in_the_time_zone_of_the_machine(reader, monkeypatch):
    assert "{" not in read(reader, mrkdwn("<!date^1700000000^{date_short_pretty} at {time_secs}|then>"))[0]


def test_what_customers_wrote_is_shown_as_it_is(reader):
    words = {"type": "text", "text": "*no* <@U0ANA> :bell: &amp;"}
    shown = read(reader, {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [words]}]})
    assert shown == ["*no* <@U0ANA> :bell: &amp;"]


def test_rich_text_of_people(reader, slack):
    elements = [
        {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": "See "}, {"type": "user", "user_id": "U0BEN"}],
        },
        {
            "type": "rich_text_list",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "channel", "channel_id": "C0LEADS"}]},
                {"type": "rich_text_section", "elements": [{"type": "usergroup", "usergroup_id": "S0CREW"}]},
                {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]},
            ],
        },
        {"type": "rich_text_quote", "elements": [{"type": "link", "url": "https://example.com"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
        {"type": "rich_text_section", "elements": [{"type": "color", "value": "#fff"}]},
    ]
    assert read(reader, {"type": "rich_text", "elements": elements}) == [
        "See @Ben",
        "• #leads",
        "• @crew",
        "• @here",
        "▌ https://example.com",
        "  x = 1",
        "(color)",
    ]


def test_blocks_and_files(reader):
    fields = {"type": "section", "fields": [{"type": "plain_text", "text": "a"}, {"type": "plain_text", "text": "b"}]}
    shown = read(reader, fields, {"type": "video"}, files=[{"name": "door.jpg"}])
    assert shown == ["a", "b", "(video)", "📎 door.jpg"]
    assert read(reader) == [""]


def test_what_can_be_pressed_chosen_and_typed(reader):
    def plain(text):
        return {"type": "plain_text", "text": text}

    options = [{"text": plain("Yes"), "value": "y"}, {"text": plain("No"), "value": "n"}]
    select = {"type": "static_select", "options": options}
    shown = read(
        reader,
        mrkdwn("Front desk") | {"accessory": {"type": "overflow", "options": options}},
        mrkdwn("With a picture") | {"accessory": {"type": "image", "alt_text": "a door"}},
        {"type": "actions", "elements": [{"type": "button", "text": plain("Add")}, select]},
        {"type": "actions", "elements": [select | {"initial_option": options[1]}]},
        {"type": "divider"},
        {"type": "input", "label": plain("Name"), "element": {"type": "plain_text_input", "initial_value": "Ana"}},
        {"type": "input", "label": plain("Who"), "element": {"type": "users_select", "placeholder": plain("Pick")}},
        {"type": "input", "label": plain("When"), "element": {"type": "timepicker"}},
    )
    assert shown == [
        *("Front desk", "[ Yes | No ]", "With a picture", "[ Add ]  [ Yes | No ]", "[ No ▾ ]", "────────"),
        *("Name [ Ana ]", "Who [ Pick ]", "When [ … ]"),
    ]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_everything_the_bot_posts_can_be_read(reader, path):
    posts = json.loads(path.read_text())
    for post in posts if isinstance(posts, list) else [posts]:
        if "text" in post:
            shown = "\n".join(line.plain for line in reader.lines(post))
            assert shown.strip()
            assert "(rich_text" not in shown


def test_names_and_marks(reader):
    assert [reader.name(user) for user in ("U0ANA", "U0NOBODY", None)] == ["Ana", "U0NOBODY", "somebody"]
    assert marks({}) == ""
    assert marks({"reactions": [{"name": "white_check_mark"}, {"name": "memo"}]}) == "✅ 📝"
