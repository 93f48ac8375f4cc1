import json
from dataclasses import asdict

import pytest
from support.judge_blocks import ACTIONS, judge
from support.samples import NOW

from bot.blocks import deliveries, help, modals, notices  # noqa: A004 -- the page's own name
from bot.blocks.leads import RepliesGo
from bot.blocks.posts import Post
from bot.notes import Disposition

HOSTILE = "<!channel> *b* `c` :tada: " * 200
WRITER = "U012AB3CD"


def choices(post):
    return {
        b["action_id"]: b["value"] for block in post.blocks if block["type"] == "actions" for b in block["elements"]
    }


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (deliveries.held_prompt(3, goes_at=NOW), {"reply_send_now", "reply_keep"}),
        (deliveries.kept_prompt(3, why="ask_mention"), {"reply_send"}),
        (deliveries.file_choice(3), {"reply_send", "reply_discard"}),
        (deliveries.refused(3, writer=WRITER, reason="rejected"), {"reply_retry"}),
        (deliveries.refused(3, writer=WRITER, reason="too_long"), {"reply_retry"}),
        (deliveries.refused(3, writer=WRITER, reason="file_alone"), set()),
        (deliveries.refused(3, writer=WRITER, reason="other_environment"), set()),
        (deliveries.unknown(3, writer=WRITER), {"reply_arrived", "reply_send_again"}),
        (deliveries.overdue(3, writer=WRITER, minutes=30), {"reply_send_now", "reply_discard"}),
        (deliveries.edited_too_late(), set()),
        (deliveries.stays_inside("not_configured"), set()),
    ],
)
def test_choices_carry_our_message_id(post, expected):
    assert choices(post) == dict.fromkeys(expected, "3")
    assert judge(asdict(post)) == []


@pytest.mark.parametrize(
    "tell",
    [
        lambda writer: deliveries.refused(3, writer=writer, reason="rejected"),
        lambda writer: deliveries.unknown(3, writer=writer),
        lambda writer: deliveries.overdue(3, writer=writer, minutes=30),
        lambda writer: deliveries.modal_line(writer, "Hi"),
    ],
    ids=["refused", "unknown", "overdue", "modal_line"],
)
def test_what_went_wrong_mentions_its_writer(tell):
    assert f"<@{WRITER}>" in json.dumps(tell(WRITER).blocks)
    assert "<@" not in json.dumps(tell(None).blocks)
    assert judge(asdict(tell(None))) == []


def test_an_overdue_reply_tells_what_a_keeper_can_mend():
    told = json.dumps(deliveries.overdue(3, writer=WRITER, minutes=30, held_by="reconnect").blocks)
    assert "waited 30 minutes" in told
    assert "no longer accepts our credentials" in told
    assert "tried again" not in json.dumps(
        deliveries.overdue(3, writer=WRITER, minutes=30, held_by="unavailable").blocks
    )


def test_words_from_outside_are_shown_as_they_are_and_only_their_beginning():
    for post in (
        deliveries.refused(3, writer=WRITER, reason="rejected", detail=HOSTILE, said=HOSTILE),
        deliveries.modal_line(WRITER, HOSTILE),
        notices.not_understood(1, understood=HOSTILE),
        notices.dead_delivery(1, kind=HOSTILE, reason=HOSTILE),
    ):
        assert judge(asdict(post)) == []
        assert "<!channel>" not in post.text
        ours = [block["text"]["text"] for block in post.blocks if block["type"] == "section"]
        assert "channel>" not in "".join(ours)


def test_what_somebody_wrote_can_be_copied_back_whole():
    text = "A line.\n" * 900
    posts = deliveries.copy_back(text)
    assert "".join(post.blocks[1]["elements"][0]["elements"][0]["text"] for post in posts) == text
    assert [judge(asdict(post)) for post in posts] == [[]] * len(posts)


def test_every_button_about_a_reply_has_its_answer():
    assert deliveries.ANSWERED.keys() == {a for a in ACTIONS if a.startswith("reply_")} - {"reply_open"}
    assert [judge(asdict(deliveries.answered(a))) for a in deliveries.ANSWERED] == [[]] * len(deliveries.ANSWERED)


@pytest.mark.parametrize("kind", [kind for kind in Disposition if kind.name.startswith("ASK_")])
def test_every_doubt_has_its_own_question(kind):
    assert "press Send" in deliveries.kept_prompt(3, why=kind).text


# The reply window


@pytest.mark.parametrize("name", [None, "John Davis", HOSTILE])
def test_reply_window_is_one_that_slack_takes(name):
    view = modals.reply_modal(7, headline=HOSTILE, customer_name=name, mode=RepliesGo.OUT)
    assert judge(view) == []
    assert (view["callback_id"], view["private_metadata"]) == ("reply_modal", "7")
    assert view["submit"]["text"] == "Send"
    assert view["blocks"][1]["element"]["max_length"] == 3_000


@pytest.mark.parametrize("mode", [RepliesGo.INSIDE, RepliesGo.STAGING, RepliesGo.TEST])
def test_reply_window_says_why_nothing_can_be_sent(mode):
    view = modals.reply_modal(7, headline="x", customer_name=None, mode=mode)
    assert judge(view) == []
    assert "submit" not in view


def test_reply_window_says_which_lead_it_is_about():
    view = modals.reply_modal(7, headline="Doors &amp; &lt;b&gt; · CA", customer_name=None, mode=RepliesGo.OUT)
    assert view["blocks"][0]["elements"][0] == {"type": "plain_text", "text": "Doors & <b> · CA", "emoji": False}


# Notices and help


def test_only_where_nobody_is_told_somebody_is_asked():
    assert choices(notices.not_understood(12, understood=None)) == {}
    assert choices(notices.not_understood(12, understood=None, ask_keeper=True)) == {"keeper_me": "12"}
    assert choices(notices.dead_delivery(9, kind="x", reason="x", ask_keeper=True)) == {"keeper_me": "9"}


def test_notices_name_the_command_that_tries_again():
    assert "corkboard inbox retry 12" in json.dumps(notices.not_understood(12, understood=None).blocks)
    assert "corkboard outbox retry 9" in json.dumps(notices.dead_delivery(9, kind="x", reason="x").blocks)


def test_help_lists_the_verbs_and_every_mark():
    shown = json.dumps(help.help_page([("help", "shows <this>"), ("connect", "connects")]).blocks)
    assert "`/thumbtack help` shows &lt;this&gt;\\n`/thumbtack connect` connects" in shown
    for mark in ("hourglass_flowing_sand", "white_check_mark", ":x:", "warning", "memo"):
        assert mark in shown


def test_help_in_quiet_mode_teaches_send():
    assert "`send:`" in json.dumps(help.help_page([], quiet=True).blocks)
    assert "`send:`" not in json.dumps(help.help_page([]).blocks)


@pytest.mark.parametrize(("text", "blocks"), [("", [{"type": "divider"}]), ("x", [])])
def test_a_post_has_text_and_blocks(text, blocks):
    with pytest.raises(ValueError, match="needs text"):
        Post(text=text, blocks=blocks)
