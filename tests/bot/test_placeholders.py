"""What stands in braces becomes good prose, also where nothing is known of it; and whom a name greets."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.placeholders import LONGEST_VALUE, Placeholder, filled, first_name, unknown, used

KNOWN = {
    Placeholder.FIRST_NAME: "Maya",
    Placeholder.CATEGORY: "Interior Painting",
    Placeholder.CITY: "Palo Alto",
    Placeholder.MY_NAME: "Ana",
    Placeholder.BUSINESS: "Bright Oak",
}

PROSE = {
    "Hi {first_name}, we do {category} in {city}.": (
        "Hi Maya, we do Interior Painting in Palo Alto.",
        "Hi, we do your request in your area.",
    ),
    "Hi {first_name}! Thanks for your {category} request.": (
        "Hi Maya! Thanks for your Interior Painting request.",
        "Hi! Thanks for your request.",
    ),
    "Dear {first_name},\nyes.": ("Dear Maya,\nyes.", "Hello,\nyes."),
    "{first_name}, thanks for asking.": ("Maya, thanks for asking.", "Thanks for asking."),
    "Sure. {first_name}, we come.": ("Sure. Maya, we come.", "Sure. We come."),
    "Thank you, {first_name}!": ("Thank you, Maya!", "Thank you!"),
    "Hi {first_name} and {my_name}, yes.": ("Hi Maya and Ana, yes.", "Hi, yes."),
    "Hi {my_name} {my_name}, yes.": ("Hi Ana Ana, yes.", "Hi, yes."),
    "Thanks {first_name} for asking": ("Thanks Maya for asking", "Thanks for asking"),
    "We read {first_name}'s note.": ("We read Maya's note.", "We read your note."),
    "We ({first_name}) come.": ("We (Maya) come.", "We come."),
    "About your {category}: yes.": ("About your Interior Painting: yes.", "About your request: yes."),
    "{category} is what we do.": ("Interior Painting is what we do.", "Your request is what we do."),
    "We serve the {city} area.": ("We serve the Palo Alto area.", "We serve the area."),
    "We come. {city} is close.": ("We come. Palo Alto is close.", "We come. Your area is close."),
    "I am with {business}.": ("I am with Bright Oak.", "I am with our team."),
    "We are the {business} team.": ("We are the Bright Oak team.", "We are the team."),
    "See {business}'s page.": ("See Bright Oak's page.", "See our page."),
    "Best,\n{my_name}\n{business}": ("Best,\nAna\nBright Oak", "Best,"),
    "Best,\n- {my_name}": ("Best,\n- Ana", "Best,"),
    "  {City}, { First Name }!": ("Palo Alto, Maya!", "Your area!"),
    "No braces at all, a  b.": ("No braces at all, a  b.", "No braces at all, a  b."),
}


@pytest.mark.parametrize(("text", "said"), PROSE.items())
def test_it_reads_well_with_all_that_is_known_and_with_nothing(text: str, said: tuple[str, str]):
    assert (filled(text, KNOWN), filled(text, {})) == said
    assert unknown(text) == ()


def test_what_a_value_says_is_never_a_placeholder_and_stays_on_one_line():
    values = {Placeholder.FIRST_NAME: "{city}", Placeholder.CITY: "Palo\nAlto\u202e\x00"}
    assert filled("Hi {first_name} in {city}.", values) == "Hi {city} in Palo Alto\ufffd."
    endless = filled("{business}", {Placeholder.BUSINESS: "a" * 5_000})
    assert len(endless) == LONGEST_VALUE


@pytest.mark.parametrize("empty", ["", "  ", "N/A", "none", "!!", "\u200b", "\ue000", None])
def test_a_value_that_says_nothing_is_not_known(empty: str | None):
    assert filled("Hi {first_name}!", {Placeholder.FIRST_NAME: empty}) == "Hi!"


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("Hi {name}!", ("{name}",)),
        ("Hi {first_name", ("{",)),
        ("Hi first_name}", ("}",)),
        ("Hi {}", ("{}",)),
        ("Hi {{first_name}}", ("{", "}")),
        ("{price} {price} {first_name} {when?}", ("{price}", "{when?}")),
        ("{first\nname}", ("{", "}")),
    ],
)
def test_what_means_nothing_is_named(text: str, odd: tuple[str, ...]):
    assert unknown(text) == odd


def test_what_is_used_is_told_whatever_its_case():
    assert used("{My Name} {city} {x}") == {Placeholder.MY_NAME, Placeholder.CITY}


NAMES = {
    "Maya": "Maya",
    "Maya Alvarez": "Maya",
    "  maya   alvarez ": "Maya",
    "MAYA ALVAREZ": "Maya",
    "Sam W.": "Sam",
    "JEAN-PAUL S": "Jean-Paul",
    "Jean-Paul Sartre": "Jean-Paul",
    "McKay Lee": "McKay",
    "AJ Lee": "AJ",
    '"Bo" Lee': "Bo",
    "Trump, Donald": "Donald",
    "Maya Alvarez, DDS": "Maya",
    "Dr. Maya Alvarez": "Maya",
    "Ștefan Popa": "Ștefan",
    "李明": "李明",
    "李 明": "李 明",
    "Maria de la Cruz": "Maria",
    "Al Pacino": "Al",
    "de la Cruz Maria": None,
    "de la Cruz, Maria": None,
    "Maya Alvarez, Realtor": None,
    "D. Trump": None,
    "D Trump": None,
    "J.R. Smith": None,
    "Smith, J.": None,
    "Ma. Cruz": None,
    "Mr. Smith": None,
    "Mrs Jones": None,
    "Bright Oak Services": None,
    "ACME LLC": None,
    "The Smiths": None,
    "Maya & Tom Alvarez": None,
    "Maya and Tom": None,
    "Thumbtack Customer": None,
    "N/A": None,
    "maya@mail.example": None,
    "Maya 555-0134": None,
    "note: call": None,
    "<!channel>": None,
    "🙂": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize(("name", "greeted"), NAMES.items())
def test_nobody_is_greeted_by_what_is_not_their_first_name(name: str | None, greeted: str | None):
    assert first_name(name) == greeted


WORDS = ["Hi", "thanks", "for", "your", "the", "in", "about", "Best", "we", "come"]
SIGNS = [" ", " ", " ", ", ", ". ", "! ", "? ", "\n", ": "]
TEXTS = st.lists(
    st.tuples(st.sampled_from([*WORDS, *("{" + one + "}" for one in Placeholder)]), st.sampled_from(SIGNS)), max_size=12
).map(lambda pairs: "".join(word + sign for word, sign in pairs))


@given(TEXTS, st.sets(st.sampled_from(Placeholder)))
def test_whatever_is_missing_no_seam_shows(text: str, missing: set[Placeholder]):
    said = filled(text, {name: value for name, value in KNOWN.items() if name not in missing})
    assert not set("{}\ue000") & set(said)
    assert not re.search(r"  |[ \t][,.!?:;]", said), said
    assert said == said.strip()
    for name in set(Placeholder) - missing:
        assert ("{" + name + "}" in text) <= (KNOWN[name] in said)


@given(st.text(), st.dictionaries(st.sampled_from(Placeholder), st.text()))
def test_nothing_is_an_error(text: str, values: dict[Placeholder, str]):
    filled(text, {**values})
    unknown(text)
    greeted = first_name(text)
    assert greeted is None or (0 < len(greeted) <= len(text) and "\n" not in greeted)
