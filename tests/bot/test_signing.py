"""The writer's name below a reply: once, and never in place of what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.signature import is_same, sign

LONGEST = 200


@pytest.mark.parametrize(
    ("text", "name", "signed"),
    [
        ("We come at 9.", "Ana", "We come at 9.\n– Ana"),
        ("We come at 9.\n", "Ana", "We come at 9.\n\n– Ana"),
        ("We come at 9.", " Ana \n Maria ", "We come at 9.\n– Ana Maria"),
        ("We come at 9.", "", "We come at 9."),
        ("We come at 9.", None, "We come at 9."),
        ("Thanks,\nAna", "Ana", "Thanks,\nAna"),
        ("Thanks,\n- ana.", "Ana", "Thanks,\n- ana."),
        ("Thanks,\n• Ana", "Ana", "Thanks,\n• Ana"),
        ("We come at 9. Ana", "Ana", "We come at 9. Ana"),
        ("We come at 9\n– Ana", "Ana", "We come at 9\n– Ana"),
        ("I asked Ana", "Ana", "I asked Ana\n– Ana"),
        ("Tell Mariana", "Ana", "Tell Mariana\n– Ana"),
        ("Ben (not Ana.*)", ".*", "Ben (not Ana.*)\n– .*"),
        ("x" * 195, "Ana", "x" * 195),
        ("x" * 194, "Ana", "x" * 194 + "\n– Ana"),
    ],
)
def test_a_name_goes_below_unless_it_stands_there_or_does_not_fit(text, name, signed):
    assert sign(text, name, longest=LONGEST) == signed


@given(st.text(min_size=1, max_size=LONGEST), st.text(max_size=60))
def test_what_was_written_stays_whole_and_is_known_again(text, name):
    signed = sign(text, name, longest=LONGEST)
    assert signed.startswith(text)
    assert len(signed) <= LONGEST
    assert is_same(signed, text)
    assert sign(signed, name, longest=LONGEST) == signed


@given(st.text(min_size=1), st.text(min_size=1, alphabet=st.characters(exclude_characters="\n")))
def test_what_was_changed_is_not_taken_for_what_was_sent(text, more):
    assert not is_same(text, text + more)
    assert not is_same(text + more, text)
