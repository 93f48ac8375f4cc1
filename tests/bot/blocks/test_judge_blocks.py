"""The judge itself: it takes what Slack takes, and refuses what Slack refuses."""

import pytest
from support.judge_blocks import judge

from bot.blocks.kit import actions, button, header, image, line, quote, rich, section, small_plain, words

BUTTON = button("reply_retry", "Retry", 3)
DIVIDER = {"type": "divider"}


def message(*blocks, text="x"):
    return {"text": text, "blocks": list(blocks)}


def test_takes_one_of_each_of_our_blocks():
    blocks = [
        header("Lead"),
        section("*a*"),
        small_plain("b"),
        rich(line(words("a", bold=True)), quote(words("b"))),
        image("https://example.com/a.png", title="a"),
        actions([BUTTON]),
    ]
    assert judge(message(*blocks)) == []


@pytest.mark.parametrize(
    "refused",
    [
        message(),
        message(*[section("a")] * 51),
        message(section("a"), text=""),
        message(section("x" * 3_001)),
        message(section("")),
        message(rich(line(words("")))),
        message(rich()),
        message({"type": "sectoin", "text": {"type": "mrkdwn", "text": "a"}}),
        message({"type": "section", "text": {"type": "mrkdwn", "text": "a"}, "colour": "red"}),
        message({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}),
        message({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
        message({"type": "section", "text": {"type": "mrkdwn", "text": "a"}, "block_id": "ours"}),
        message(image("http://example.com/a.png", title="a")),
        message({"type": "image", "image_url": "https://example.com/a.png"}),
        message(actions([button("reply_retry", "x" * 76, 3)])),
        message(actions([BUTTON, BUTTON])),
        message(actions([button("reply_maybe", "Maybe", 3)])),
        message(actions([button("reply_retry", "Retry", "John Davis")])),
        message(*[rich(line(words("x" * 2_900)))] * 5),
        {"type": "modal", "callback_id": "x", "private_metadata": "", "blocks": [section("a")]},
        {
            "type": "modal",
            "callback_id": "x",
            "private_metadata": "",
            "title": {"type": "plain_text", "text": "x" * 25},
            "blocks": [section("a")],
        },
    ],
)
def test_refuses(refused):
    assert judge(refused) != []
