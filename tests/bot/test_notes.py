import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.notes_meant import meant_as_notes

from bot.notes import LONGEST, Disposition, disposition, without_send


def rich(*leaves, kind="rich_text_section"):
    return [{"type": "rich_text", "elements": [{"type": kind, "elements": list(leaves)}]}]


def said(text, **style):
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def decide(text, blocks=None, *, files=False, quiet=False):
    return disposition(text, blocks or [], files=files, quiet=quiet)


# What goes out


@pytest.mark.parametrize(
    "text",
    [
        "On my way, 20 minutes.",
        "Note that we come at 9",
        "Note, we come at 9.",
        "Please note: bring the keys",
        "Quick note: we come at 9",
        "Notes are in the report.",
        "noteworthy",
        "notable: nothing",
        "footnote: x",
        "We come at 10:30 / 11:00",
        "See https://example.com//x",
        "https://example.com",
        "me@example.com is my address",
        "internally: all fine",
        "We come at 9, note: bring the keys",
        "Notable: nothing",
        "Noted: Tuesday works.",
        "Date: Tuesday",
        "Rate: $50 an hour",
        "Notes on the plan are in the report: page 2",
        "See\nhttps://example.com//x",
        "Anote: x",
        "100",
        "ok 👍",
        "50/50; or not",
        "Sender: me",
        "<!date^1788287400^{date}|Sep 1> works",
        "2 * 3 is 6 > 5",
    ],
)
def test_sentences_go_out(text):
    assert decide(text) is Disposition.SEND


# Notes, as taught and as meant


@pytest.mark.parametrize(
    "text",
    [
        "note: he sounds difficult",
        "NOTE: x",
        "Note : x",
        "note:x",
        "no t e: x",
        "note – x",
        "note — x",
        "note - x",
        "note\u2011x",
        "// x",
        "/ / x",
        ";; x",
        "[note] x",
        "[ NOTE ] x",
        "(note) x",
        "(note: x)",
        "{note} x",
        "ＮＯＴＥ：x",
        "ⓝⓞⓣⓔ: x",
        "𝐧𝐨𝐭𝐞: x",
        "note\u2236 x",
        "note\ua789 x",
        "n\u200bo\u200dt\u2060e\ufeff: x",
        "\u00adnote: x",
        "\u202enote: x",
        "  \n\t note: x",
        "*note:* x",
        "*note*: x",
        "_note:_ x",
        "~note:~ x",
        "`note:` x",
        "```note: x```",
        "*_~note:~_* x",
        "nóte: x",
        "n\u0301o\u0300t\u0302e\u0308: x",
        "&gt; note: x",
        "&gt;note: x",
        "&gt;&gt;&gt; note: x",
        "&gt; The customer said this.\nnote: x",
        "“note:” x",
        '"note: x"',
        "«note: x»",
        "• note: x",
        "◦ note: x",
        "- note: x",
        "– note: x",
        "* note: x",
        "1. note: x",
        "12) note: x",
        "a) note: x",
        "iv. note: x",
        "#note: x",
        "...note: x",
        "!! note: x",
        "📝 note: x",
        "📝note: x",
        "ℹ️ note: x",
        "1️⃣ note: x",
        "ⓘ note: x",
        "㊙ note: x",
        "note:\ufe0f x",
        "👋🏽 note: x",
        "🇺🇸 note: x",
        "👨‍👩‍👧 note: x",
        ":memo: note: x",
        ":wave::skin-tone-3: note: x",
        "note:memo: x",
        "note:1:30 call",
        "ℹ️note:1:30 call",
        ":memo: ℹ️ note:1: call",
        "not:memo:e: x",
        "not📝e: x",
        "send: note: x",
        "SEND: // x",
        "send: send: note: x",
        "<https://example.com|note:> x",
        "note: <@U012AB3CD> look at this",
        "note: 👍",
    ],
)
@pytest.mark.parametrize("files", [False, True])
@pytest.mark.parametrize("quiet", [False, True])
def test_notes_stay_inside(text, files, quiet):
    assert decide(text, files=files, quiet=quiet) is Disposition.NOTE


@pytest.mark.parametrize(
    "blocks",
    [
        rich(said("note: x")),
        rich(said("note", bold=True), said(": x")),
        rich(said("note:"), kind="rich_text_quote"),
        rich(said("note: x"), kind="rich_text_preformatted"),
        rich({"type": "emoji", "name": "memo", "unicode": "1f4dd"}, said(" note: x")),
        rich({"type": "emoji", "name": "party_parrot"}, said("note: x")),
        rich({"type": "rich_text_section", "elements": [said("note: x")]}, kind="rich_text_list"),
        [
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_quote", "elements": [said("What the customer said")]},
                    {"type": "rich_text_section", "elements": [said("note: x")]},
                ],
            }
        ],
    ],
    ids=["plain", "bold", "quote", "code", "emoji", "custom emoji", "list", "below a quote"],
)
def test_a_note_in_the_rich_text_is_a_note_whatever_the_text_says(blocks):
    assert decide("On my way", blocks) is Disposition.NOTE


def test_a_note_in_the_text_is_a_note_whatever_the_rich_text_says():
    assert decide("note: x", rich(said("On my way"))) is Disposition.NOTE


@pytest.mark.parametrize(
    "text",
    [
        "note",
        "Note\nhe sounds difficult",
        "*note*\nx",
        "notes: x",
        "note; x",
        "note! x",
        "note… x",
        "note = x",
        "note → x",
        "note (to us): x",
        "internal: x",
        "(internal) x",
        "[Internal] x",
        "Internal note: x",
        "[team only] x",
        "team only - x",
        "send: notes: x",
        ":memo: notes: x",
        "ntoe: x",
        "Noet: x",
        "NOYE : x",
        "bote: x",
        "n0te: x",
        "- nte: x",
        "Nota: x",
        "Note to self: x",
        "note for Ben - x",
        "Notes to the team: x",
        "On our way.\nnote: x",
        "On our way.\n\n  📝 *Note:* x",
        "On our way.\n• // x",
        "On our way.\n&gt; [note] x",
        "send: On our way.\r\n;; x",
    ],
)
def test_what_resembles_a_note_is_asked_about(text):
    assert decide(text) is Disposition.ASK_NOTE


# Colons of a note beside colons of emoji (`:memo:note :0:`) can be read in so many ways that asking is good enough.
STAYS = {Disposition.NOTE, Disposition.ASK_NOTE, Disposition.QUIET}


@settings(max_examples=400)
@given(meant_as_notes(), st.booleans(), st.booleans())
def test_nothing_that_could_be_meant_as_a_note_goes_out(text, files, quiet):
    assert decide(text, files=files, quiet=quiet) in STAYS


@settings(max_examples=400)
@given(meant_as_notes(), st.sampled_from(["rich_text_section", "rich_text_quote", "rich_text_preformatted"]), st.data())
def test_nor_in_a_rich_text_cut_anywhere_under_another_text(text, kind, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    blocks = rich(*(said(part, bold=number % 2 == 0) for number, part in enumerate(parts)), kind=kind)
    assert decide("On my way", blocks) in STAYS


@settings(max_examples=300)
@given(
    st.sampled_from(["On our way.", "> You said Tuesday?", "1. Yes", "👍", ":wave: Hello", "*Hi*"]), meant_as_notes()
)
def test_nor_below_other_words(first, note):
    assert decide(first + "\n" + " ".join(note.split("\n"))) in STAYS | {Disposition.ASK_ONLY_EMOJI}


# What is asked about


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("<@U012AB3CD> please call", {"type": "user", "user_id": "U012AB3CD"}),
        ("hi <@U012AB3CD|ana>", {"type": "user", "user_id": "U012AB3CD"}),
        ("see <#C012AB3CD>", {"type": "channel", "channel_id": "C012AB3CD"}),
        ("see <#C012AB3CD|leads>", {"type": "channel", "channel_id": "C012AB3CD"}),
        ("<!subteam^S012AB3CD> help", {"type": "usergroup", "usergroup_id": "S012AB3CD"}),
        ("<!channel> help", {"type": "broadcast", "range": "channel"}),
        ("<!here> help", {"type": "broadcast", "range": "here"}),
        ("<!everyone> help", {"type": "broadcast", "range": "everyone"}),
        ("<!here|here> help", {"type": "team", "team_id": "T012AB3CD"}),
        ("something new", {"type": "what_slack_invents_next", "text": "x"}),
    ],
)
def test_mentions_are_asked_about(text, leaf):
    if leaf["type"] != "what_slack_invents_next":
        assert decide(text) is Disposition.ASK_MENTION
    assert decide("On my way", rich(said("On my way "), leaf)) is Disposition.ASK_MENTION
    assert decide(f"send: {text}", rich(said("send: "), leaf, said("x")), quiet=True) is Disposition.ASK_MENTION


@pytest.mark.parametrize(
    "text", ["@here can you", "who can? @channel", "@ana can you", "  @Ana: yes", "send: @ana yes"]
)
def test_mentions_that_slack_did_not_understand_are_asked_about(text):
    assert decide(text) is Disposition.ASK_MENTION


@pytest.mark.parametrize("text", ["me@here.example works", "We meet @ 9", "50 @ 3 each"])
def test_other_uses_of_the_sign_go_out(text):
    assert decide(text) is Disposition.SEND


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👍🏽 👋",
        ":+1:",
        ":wave::skin-tone-3: :party_parrot:",
        "🇺🇸",
        "1️⃣",
        "☎️",
        ":)",
        "?",
        "...",
        "send: 👍",
        "<https://acme.slack.com/archives/C1/p1>",
        "<https://acme.slack.com/archives/C1/p1|https://acme.slack.com/archives/C1/p1> :eyes:",
        "https://acme.enterprise.slack.com/x",
        "slack://channel?id=C1",
        "https://files.slack.com/files-pri/T1/door.jpg",
    ],
)
def test_only_emoji_signs_or_links_to_slack_are_asked_about(text):
    assert decide(text) is Disposition.ASK_ONLY_EMOJI


@pytest.mark.parametrize(
    "leaf",
    [
        {"type": "emoji", "name": "party_parrot"},
        {"type": "emoji", "name": "wave", "unicode": "1f44b"},
        {"type": "link", "url": "https://acme.slack.com/archives/C1", "text": "see here"},
        {"type": "link", "url": "https://slack.com"},
    ],
)
def test_only_emoji_or_links_to_slack_in_rich_text(leaf):
    assert decide("as text", rich(leaf, said(" "))) is Disposition.ASK_ONLY_EMOJI


@pytest.mark.parametrize(
    "leaf",
    [
        {"type": "link", "url": "https://example.com", "text": "see here"},
        {"type": "link", "url": "https://notslack.com"},
        {"type": "link", "url": "https://[broken"},
    ],
)
def test_other_links_alone_go_out(leaf):
    assert decide("as text", rich(leaf)) is Disposition.SEND


# Quiet mode, files, length


@pytest.mark.parametrize(
    "text", ["send: On my way", "SEND:On my way", " Send : On my way", "send： On my way", "*send:* On my way"]
)
def test_send_is_taken_away_and_goes_out_in_either_mode(text):
    assert decide(text) is Disposition.SEND
    assert decide(text, quiet=True) is Disposition.SEND


def test_without_send_gives_what_the_customer_reads():
    assert without_send("send: On my way") == "On my way"
    assert without_send("Send:\nOn my way") == "On my way"
    assert without_send("On my way, send: nothing") == "On my way, send: nothing"
    assert without_send("sending: x") == "sending: x"
    assert without_send("send: send: x") == "send: x"


@pytest.mark.parametrize(
    "text", ["On my way", "sending: x", "👍", "<@U012AB3CD> hi", "", "x" * (LONGEST + 1), "• send: x"]
)
@pytest.mark.parametrize("files", [False, True])
def test_in_quiet_mode_all_else_stays_inside_unasked(text, files):
    assert decide(text, files=files, quiet=True) is Disposition.QUIET


def test_files():
    assert decide("", files=True) is Disposition.FILE_ALONE
    assert decide(" \u200b", files=True) is Disposition.FILE_ALONE
    assert decide("send:", files=True, quiet=True) is Disposition.FILE_ALONE
    assert decide("Here is the plan", files=True) is Disposition.FILE_WITH_TEXT
    assert decide("<@U012AB3CD> here", files=True) is Disposition.ASK_MENTION


@pytest.mark.parametrize("text", ["", None, "  ", "\u200b", "send:"])
def test_nothing_to_see_is_empty(text):
    assert decide(text) is Disposition.EMPTY


def test_length_is_that_of_what_goes_out():
    assert decide("x" * LONGEST) is Disposition.SEND
    assert decide("send: " + "x" * LONGEST) is Disposition.SEND
    assert decide("x" * (LONGEST + 1)) is Disposition.TOO_LONG
    assert decide("&amp;" * LONGEST + "x") is Disposition.TOO_LONG
    assert decide("x" * (LONGEST + 1), files=True) is Disposition.TOO_LONG


# Whatever comes

json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "elements", "text", "url", "name", "unicode", "user_id"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(st.text(), json, st.booleans(), st.booleans())
def test_decides_whatever_slack_sends(text, blocks, files, quiet):
    assert disposition(text, blocks, files=files, quiet=quiet) in Disposition


@pytest.mark.parametrize(
    "text",
    [
        "a." * 20_000,
        "\n" * 40_000,
        "- \n" * 13_000,
        "\nnote" * 8_000,
        "note to " * 5_000,
        ":a" * 20_000,
        "*a " * 13_000,
        " " * 40_000 + "x",
        "-" * 40_000,
        "<@" * 20_000,
    ],
)
def test_the_longest_message_of_slack_is_decided_at_once(text):
    began = time.process_time()
    decide(text, rich(said(text)))
    assert time.process_time() - began < 2  # far from the minutes that a regular expression can take
