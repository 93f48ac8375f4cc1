import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.plaintext import ids_to_name, leaves, to_plain

NAMES = {"U012AB3CD": "Ana Ruiz", "C012AB3CD": "leads"}


def block(*elements):
    return [{"type": "rich_text", "block_id": "x", "elements": list(elements)}]


def section(*leaves):
    return {"type": "rich_text_section", "elements": list(leaves)}


def text(words, **style):
    return {"type": "text", "text": words, "style": style} if style else {"type": "text", "text": words}


def items(*words, **fields):
    return {"type": "rich_text_list", "elements": [section(text(word)) for word in words], **fields}


def read(*elements, names=NAMES):
    return to_plain("the text", block(*elements), names)


# The rich text


def test_styles_are_dropped_and_words_are_left_alone():
    assert read(section(text("We can "), text("really", bold=True, italic=True), text(" come & fix <it>"))) == (
        "We can really come & fix <it>"
    )


def test_what_looks_like_markup_in_rich_text_is_what_was_written():
    assert read(section(text("2*3*4 &amp; _x_ :wave: <@U1>"))) == "2*3*4 &amp; _x_ :wave: <@U1>"


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ({"type": "user", "user_id": "U012AB3CD"}, "@Ana Ruiz"),
        ({"type": "user", "user_id": "U0UNKNOWN"}, "@teammate"),
        ({"type": "channel", "channel_id": "C012AB3CD"}, "#leads"),
        ({"type": "channel", "channel_id": "C0UNKNOWN"}, "#channel"),
        ({"type": "usergroup", "usergroup_id": "S012AB3CD"}, "@team"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "broadcast"}, "@channel"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b"}, "👋"),
        ({"type": "emoji", "name": "wave::skin-tone-4", "unicode": "1f44b-1f3fd"}, "👋🏽"),
        ({"type": "emoji", "name": "heart", "unicode": "2764-fe0f"}, "❤️"),
        ({"type": "emoji", "name": "party_parrot"}, ":party_parrot:"),
        ({"type": "emoji", "name": "odd", "unicode": "zz"}, ":odd:"),
        ({"type": "emoji", "name": "odd", "unicode": "d83d"}, ":odd:"),
        ({"type": "emoji", "name": "odd", "unicode": "fffffffff"}, ":odd:"),
        ({"type": "emoji"}, ""),
        ({"type": "date", "timestamp": 1788287400, "format": "{date}", "fallback": "Sep 1"}, "Sep 1"),
        ({"type": "color", "value": "#F405B3"}, "#F405B3"),
        ({"type": "what_slack_invents_next", "text": "readable"}, "readable"),
        ({"type": "what_slack_invents_next", "depth": 3}, ""),
    ],
)
def test_each_thing_becomes_what_a_customer_reads(leaf, expected):
    assert read(section(text("("), leaf, text(")"))) == f"({expected})"


@pytest.mark.parametrize(
    ("url", "label", "expected"),
    [
        ("https://example.com/a", None, "https://example.com/a"),
        ("https://example.com/a", "https://example.com/a", "https://example.com/a"),
        ("http://example.com", "example.com", "example.com"),
        ("https://example.com/a", "our prices", "our prices (https://example.com/a)"),
        ("https://evil.example", "https://bank.example", "https://bank.example (https://evil.example)"),
        ("mailto:me@example.com", "me@example.com", "me@example.com"),
        ("mailto:me@example.com", None, "me@example.com"),
        ("mailto:me@example.com", "write me", "write me (me@example.com)"),
        ("tel:5125550148", "(512) 555-0148", "(512) 555-0148"),
        ("tel:+15125550148", "512-555-0148", "512-555-0148"),
        ("tel:+15125550148", "call me", "call me (+15125550148)"),
        ("", "just a label", "just a label"),
    ],
)
def test_links_say_what_a_reader_needs(url, label, expected):
    leaf = {"type": "link", "url": url} | ({"text": label} if label else {})
    assert read(section(leaf)) == expected
    if url:
        assert to_plain(f"<{url}|{label}>" if label else f"<{url}>", [], {}) == expected


def test_lists_keep_their_marks_numbers_and_margins():
    assert read(
        section(text("We bring:\n")),
        items("paint", "brushes", style="bullet", indent=0),
        items("wide ones", style="bullet", indent=1),
        items("a ladder", style="bullet", indent=0),
        section(text("Then:\n")),
        items("we paint", "we clean\nand leave", style="ordered", indent=0),
        items("you pay", style="ordered", indent=0, offset=2),
    ) == (
        "We bring:\n• paint\n• brushes\n  • wide ones\n• a ladder\n"
        "Then:\n1. we paint\n2. we clean\n  and leave\n3. you pay"
    )


def test_quotes_and_preformatted_parts():
    assert read(
        {"type": "rich_text_quote", "elements": [text("When can you come?\nToday?")]},
        section(text("At 9.\n\n")),
        {"type": "rich_text_preformatted", "elements": [text("a  b\n c")]},
    ) == ("> When can you come?\n> Today?\nAt 9.\n\na  b\n c")


def test_outer_blanks_go_and_inner_ones_stay():
    assert read(section(text("\n  On my way.\n\n  20 minutes.  \n"))) == "On my way.\n\n  20 minutes."


def test_names_that_only_the_text_tells_are_used():
    blocks = block(section({"type": "usergroup", "usergroup_id": "S012AB3CD"}, text(" comes")))
    assert to_plain("<!subteam^S012AB3CD|@crew> comes", blocks, {}) == "@crew comes"


# The text, where there is no rich text


@pytest.mark.parametrize(
    ("mrkdwn", "expected"),
    [
        ("On my way", "On my way"),
        ("*bold* _it_ ~no~ `code`", "bold it no code"),
        ("*_both_*", "both"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("`*kept*` and ```a\n *b*```", "*kept* and a\n *b*"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("<@U012AB3CD> and <@U0UNKNOWN|bo> in <#C012AB3CD>", "@Ana Ruiz and @bo in #leads"),
        ("<#C0UNKNOWN|sales> <!subteam^S1|@crew> <!subteam^S2>", "#sales @crew @team"),
        ("<!here> <!channel|channel>", "@here @channel"),
        ("at <!date^1788287400^{time}|6:30 PM>", "at 6:30 PM"),
        ("see *<https://example.com/a_b_c?x=1&amp;y=2|this>*", "see this (https://example.com/a_b_c?x=1&y=2)"),
        ("&gt; quoted\nanswer", "> quoted\nanswer"),
        ("an odd < one <> and >", "an odd < one <> and >"),
        ("\x00 \x00x", "x"),
        ("", ""),
        (None, ""),
    ],
)
def test_mrkdwn_as_a_customer_reads_it(mrkdwn, expected):
    assert to_plain(mrkdwn, [], NAMES) == expected


@pytest.mark.parametrize(
    "blocks",
    [
        None,
        "x",
        {},
        [None],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "rich_text"}],
        [{"type": "rich_text", "elements": [None, {"type": "rich_text_section"}]}],
        [{"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [{"elements": 3}], "indent": "x"}]}],
        block(
            section({"type": "text", "text": 3}, {"type": "link", "url": None}, {"type": "user"})[:0]
            if False
            else section()
        ),
    ],
)
def test_where_the_blocks_say_nothing_the_text_is_read(blocks):
    assert to_plain("On my way", blocks, {}) == "On my way"


def test_the_ids_to_look_up_are_those_of_people_and_channels():
    blocks = block(
        section({"type": "user", "user_id": "U1"}, {"type": "usergroup", "usergroup_id": "S1"}),
        items_of({"type": "channel", "channel_id": "C1"}),
    )
    assert ids_to_name("<@U2|bo> <#C2> <!subteam^S2> <https://example.com>", blocks) == {"U1", "U2", "C1", "C2"}
    assert ids_to_name(None, None) == set()


def items_of(*leaves):
    return {"type": "rich_text_list", "style": "bullet", "elements": [section(*leaves)]}


def test_leaves_come_in_order_with_line_ends_between():
    quote = {"type": "rich_text_quote", "elements": [text("q")]}
    words = [leaf["text"] for leaf in leaves(block(quote, items("a", "b"), section(text("c"))))]
    assert words == ["q", "\n", "a", "\n", "b", "\n", "\n", "c", "\n"]
    assert [leaf["text"] for leaf in leaves(block(quote, section(text("c"))), quotes=False)] == ["c", "\n"]


# Whatever comes

json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["type", "elements", "text", "url", "name", "unicode", "user_id", "range", "indent", "offset"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=15,
)
KINDS = ["rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "x"]
LEAVES = ["text", "link", "emoji", "user", "channel", "usergroup", "broadcast", "date", "color", "team", "x"]
leaf = st.fixed_dictionaries(
    {"type": st.sampled_from(LEAVES)},
    optional=dict.fromkeys(("text", "url", "name", "unicode", "user_id", "fallback", "range", "elements"), json),
)
element = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS), "elements": st.one_of(json, st.lists(leaf, max_size=4))},
    optional={"style": json, "indent": json, "offset": json},
)
odd_blocks = st.one_of(
    json, st.lists(st.fixed_dictionaries({"type": st.just("rich_text"), "elements": st.lists(element, max_size=4)}))
)


@given(st.one_of(st.none(), st.text()), odd_blocks, st.dictionaries(st.text(), st.text()))
def test_never_raises_and_has_no_outer_blanks(mrkdwn, blocks, names):
    plain = to_plain(mrkdwn, blocks, names)
    assert plain == plain.strip()
    assert all(isinstance(slack_id, str) for slack_id in ids_to_name(mrkdwn, blocks))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_rich_text_of_words_alone_is_those_words(words):
    assert to_plain("", block(section(text(words))), {}) == words.strip()


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="*_~`\x00")))
def test_mrkdwn_without_styles_is_decoded_and_nothing_else(words):
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert to_plain(escaped, [], {}) == words.strip()
