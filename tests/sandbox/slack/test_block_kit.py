"""The stand-in's judgement of blocks and views, beside that of slackblocks, which others wrote."""

import json
from typing import Any

import pytest
import slackblocks as sb

from sandbox.slack.block_kit import elements, judge_blocks, judge_downloads, judge_view, size

PICTURE = "https://photos.example.com/sink.jpg"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def actions(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": list(found)}]


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **changes}


def select(*options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "s", "placeholder": plain("p"), "options": list(options), **changes}


def option(text: str = "a", value: str = "b") -> dict[str, Any]:
    return {"text": plain(text), "value": value}


def modal(**changes: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("T"), "blocks": [{"type": "divider"}], **changes}


def sb_button(**changes: Any) -> sb.Button:
    return sb.Button(**{"text": "Go", "action_id": "a", **changes})


# What both judges are given: the JSON for ours, and how slackblocks would build the same.
PASSES = {
    "section text of 3000": ([{"type": "section", "text": mrkdwn("x" * 3000)}], lambda: sb.SectionBlock("x" * 3000)),
    "header of 150": ([{"type": "header", "text": plain("x" * 150)}], lambda: sb.HeaderBlock("x" * 150)),
    "10 fields of 2000": (
        [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
        lambda: sb.SectionBlock(fields=[sb.Text("x" * 2000)] * 10),
    ),
    "button text of 75": (actions(button(text=plain("x" * 75))), lambda: sb_button(text="x" * 75)),
    "button value of 2000": (actions(button(value="x" * 2000)), lambda: sb_button(value="x" * 2000)),
    "block_id of 255": ([{"type": "divider", "block_id": "x" * 255}], lambda: sb.DividerBlock(block_id="x" * 255)),
    "action_id of 255": (actions(button(action_id="x" * 255)), lambda: sb_button(action_id="x" * 255)),
    "image with alt_text of 2000": (
        [{"type": "image", "image_url": PICTURE, "alt_text": "x" * 2000}],
        lambda: sb.ImageBlock(image_url=PICTURE, alt_text="x" * 2000),
    ),
    "10 elements in a context": (
        [{"type": "context", "elements": [mrkdwn("x")] * 10}],
        lambda: sb.ContextBlock([sb.Text("x")] * 10),
    ),
    "25 actions": (
        actions(*(button(action_id=str(n)) for n in range(25))),
        lambda: sb.ActionsBlock([sb_button(action_id=str(n)) for n in range(25)]),
    ),
    "50 blocks": (
        [{"type": "divider"}] * 50,
        lambda: sb.Message(channel="C0", text="x", blocks=[sb.DividerBlock()] * 50),
    ),
}
REFUSALS = {
    "section text of 3001": (
        [{"type": "section", "text": mrkdwn("x" * 3001)}],
        lambda: sb.SectionBlock("x" * 3001),
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "section without text": (
        [{"type": "section"}],
        sb.SectionBlock,
        "must define either `text` or `fields` [json-pointer:/blocks/0]",
    ),
    "empty text": (
        [{"type": "section", "text": mrkdwn("")}],
        lambda: sb.SectionBlock(""),
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "header of 151": (
        [{"type": "header", "text": plain("x" * 151)}],
        lambda: sb.HeaderBlock("x" * 151),
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "11 fields": (
        [{"type": "section", "fields": [mrkdwn("x")] * 11}],
        lambda: sb.SectionBlock(fields=[sb.Text("x")] * 11),
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    "field of 2001": (
        [{"type": "section", "fields": [mrkdwn("x"), mrkdwn("x" * 2001)]}],
        lambda: sb.SectionBlock(fields=[sb.Text("x"), sb.Text("x" * 2001)]),
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/1/text]",
    ),
    "button text of 76": (
        actions(button(text=plain("x" * 76))),
        lambda: sb_button(text="x" * 76),
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "button value of 2001": (
        actions(button(value="x" * 2001)),
        lambda: sb_button(value="x" * 2001),
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "block_id of 256": (
        [{"type": "divider", "block_id": "x" * 256}],
        lambda: sb.DividerBlock(block_id="x" * 256),
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "action_id of 256": (
        actions(button(action_id="x" * 256)),
        lambda: sb_button(action_id="x" * 256),
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "alt_text of 2001": (
        [{"type": "image", "image_url": PICTURE, "alt_text": "x" * 2001}],
        lambda: sb.ImageBlock(image_url=PICTURE, alt_text="x" * 2001),
        "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]",
    ),
    "11 elements in a context": (
        [{"type": "context", "elements": [mrkdwn("x")] * 11}],
        lambda: sb.ContextBlock([sb.Text("x")] * 11),
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "26 actions": (
        actions(*(button(action_id=str(n)) for n in range(26))),
        lambda: sb.ActionsBlock([sb_button(action_id=str(n)) for n in range(26)]),
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "51 blocks": (
        [{"type": "divider"}] * 51,
        lambda: sb.Message(channel="C0", text="x", blocks=[sb.DividerBlock()] * 51),
        "no more than 50 items allowed [json-pointer:/blocks]",
    ),
}


@pytest.mark.parametrize("name", PASSES)
def test_both_judges_let_it_pass(name):
    blocks, build = PASSES[name]
    assert judge_blocks(blocks) == []
    assert build()._resolve()


@pytest.mark.parametrize("name", REFUSALS)
def test_both_judges_refuse_it(name):
    blocks, build, complaint = REFUSALS[name]
    assert judge_blocks(blocks) == [complaint]
    with pytest.raises(sb.InvalidUsageError):
        build()


@pytest.mark.parametrize(
    ("blocks", "complaint"),
    [
        ([{"type": "sectoin"}], "unsupported type: sectoin [json-pointer:/blocks/0/type]"),
        ([{"text": "x"}], "missing required field: type [json-pointer:/blocks/0]"),
        (["x"], "missing required field: type [json-pointer:/blocks/0]"),
        ("x", "must be an array [json-pointer:/blocks]"),
        (
            [{"type": "section", "text": mrkdwn("x"), "colour": "red"}],
            "invalid additional property: colour [json-pointer:/blocks/0]",
        ),
        ([{"type": "section", "text": "x"}], "missing required field: type [json-pointer:/blocks/0/text]"),
        ([{"type": "section", "text": mrkdwn(7)}], "must be a string [json-pointer:/blocks/0/text/text]"),
        (
            [{"type": "header", "text": mrkdwn("x")}],
            "must be a valid enum value: plain_text [json-pointer:/blocks/0/text/type]",
        ),
        (
            [{"type": "section", "text": {**mrkdwn("x"), "verbatim": 1}}],
            "must be a boolean [json-pointer:/blocks/0/text/verbatim]",
        ),
        (
            [{"type": "image", "image_url": "http://photos.example.com/1.jpg", "alt_text": "x"}],
            "invalid url [json-pointer:/blocks/0/image_url]",
        ),
        (
            [{"type": "image", "alt_text": "x"}],
            "must define either `image_url` or `slack_file` [json-pointer:/blocks/0]",
        ),
        ([{"type": "image", "image_url": PICTURE}], "missing required field: alt_text [json-pointer:/blocks/0]"),
        ([{"type": "context", "elements": []}], "no less than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (
            [{"type": "context", "elements": [button()]}],
            "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
        ),
        (
            actions(button(style="blue")),
            "must be a valid enum value: primary, danger [json-pointer:/blocks/0/elements/0/style]",
        ),
        (actions(button(confirm="yes")), "must provide an object [json-pointer:/blocks/0/elements/0/confirm]"),
        (
            actions(select(option(value="x" * 151))),
            "must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]",
        ),
        (
            actions({"type": "datepicker", "action_id": "d", "initial_date": "1/2/2026"}),
            "must be a date [json-pointer:/blocks/0/elements/0/initial_date]",
        ),
        (
            actions(select(option(), max_selected_items=1)),
            "invalid additional property: max_selected_items [json-pointer:/blocks/0/elements/0]",
        ),
        (
            actions({"type": "datetimepicker", "action_id": "d", "initial_date_time": True}),
            "must be an integer [json-pointer:/blocks/0/elements/0/initial_date_time]",
        ),
        (
            [{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}],
            "`block_id` 'b' already exists [json-pointer:/blocks/1/block_id]",
        ),
        (actions(button(), button()), "`action_id` 'a' already exists for this block [json-pointer:/blocks/0]"),
    ],
)
def test_what_else_is_refused(blocks, complaint):
    assert judge_blocks(blocks) == [complaint]


def test_the_same_action_in_two_blocks_is_fine():
    assert judge_blocks([*actions(button()), *actions(button())]) == []


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (modal(), None),
        (modal(submit=plain("x" * 24), close=plain("x" * 24), title=plain("x" * 24), callback_id="x" * 255), None),
        ({"type": "home", "blocks": [{"type": "divider"}] * 100}, None),
        (modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        ({"type": "modal", "blocks": [{"type": "divider"}]}, "missing required field: title [json-pointer:/view]"),
        (modal(blocks=[]), "no less than 1 items allowed [json-pointer:/view/blocks]"),
        (
            {"type": "home", "blocks": [{"type": "divider"}] * 101},
            "no more than 100 items allowed [json-pointer:/view/blocks]",
        ),
        (
            modal(blocks=[{"type": "input", "label": plain("a"), "element": {"type": "plain_text_input"}}]),
            "missing required field: submit [json-pointer:/view]",
        ),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        ([], "missing required field: type [json-pointer:/view]"),
    ],
)
def test_views(view, complaint):
    assert judge_view(view) == ([complaint] if complaint else [])


def test_downloads_fail_by_host_by_address_or_all_and_also_in_an_accessory():
    accessory = {"type": "image", "image_url": PICTURE, "alt_text": "a"}
    blocks = [{"type": "section", "text": mrkdwn("x"), "accessory": accessory}]
    assert judge_downloads(blocks, set()) == []
    assert judge_downloads(blocks, {"example.com"}) == []
    for unfetchable in ("photos.example.com", PICTURE, "*"):
        assert judge_downloads(blocks, {unfetchable}) == [
            "downloading image failed [json-pointer:/blocks/0/accessory/image_url]"
        ]


def test_the_size_is_that_of_compact_json():
    blocks = actions(button(text=plain("Löschen")))
    assert size(blocks) == len(json.dumps(blocks, separators=(",", ":"), ensure_ascii=False))


def test_interactive_elements_are_found_wherever_they_stand():
    blocks = [
        *actions(button(action_id="one")),
        {"type": "section", "text": mrkdwn("x"), "accessory": button(action_id="two")},
        {"type": "input", "label": plain("x"), "element": {"type": "plain_text_input", "action_id": "three"}},
        {"type": "context", "elements": [mrkdwn("x")]},
    ]
    assert [element["action_id"] for _, element in elements(blocks)] == ["one", "two", "three"]
