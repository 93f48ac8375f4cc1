"""Notes to the team as anybody might write them: in any case and width, behind and between whatever stands there."""

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

NOTHING = st.sampled_from(
    [" ", "\n", "\t", "\u00a0", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u3000", "\u202f"]
)
MARKS = st.sampled_from(
    ["*", "_", "~", "`", "```", "&gt; ", "> ", "• ", "◦ ", "▪ ", "- ", "– ", "1. ", "12) ", "a) ", "“", '"', "("]
)
EMOJI = st.sampled_from(["📝", "👋🏽", "ℹ️", "1️⃣", "🇺🇸", "👨‍👩‍👧", ":memo:", ":wave::skin-tone-3:", ":+1:", "☎️"])
BEFORE = st.lists(st.one_of(NOTHING, MARKS, EMOJI), max_size=6).map("".join)
WITHIN = st.lists(NOTHING, max_size=2).map("".join)
TAUGHT = st.sampled_from(["note:", "note–", "note—", "note-", "//", ";;", "[note]"])
WIDE = {ord(c): ord(c) + 0xFEE0 for c in "note:/;[]-"}  # NFKC reads full-width letters as letters


@st.composite
def meant_as_notes(draw: Any) -> str:
    """One of them."""
    letters = [draw(st.sampled_from([c, c.upper(), c.translate(WIDE)])) for c in draw(TAUGHT)]
    before: str = draw(BEFORE)
    after: str = draw(st.text(max_size=20))
    return before + "".join(letter + str(draw(WITHIN)) for letter in letters) + after


def examples(count: int) -> list[str]:
    """So many of them, the same in every run."""
    found: list[str] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(meant_as_notes())
    def collect(note: str) -> None:
        found.append(note)

    collect()
    return found
