"""The list of phone numbers, the windows, and what is said of changes: no more than fits, nothing from outside interpreted."""

import json
from dataclasses import asdict

import pytest
from support.judge_blocks import judge
from support.phone_samples import ELM, ENTRIES, METADATA, NAMELESS, NUMBER, OAK, SOME, a_phone

from bot.blocks import phone_outcomes, phone_windows, phones
from bot.errors import Reason
from bot.phone_changes import Change, Outcome, Result
from bot.phone_numbers import Entry, Wrong, WrongLine, read_bulk
from storage.models import Business, Environment

HOSTILE = "<!channel> *b* `c` :tada: " * 4
WIDE = "👷" * 100
ODD = Business(id=9, environment=Environment.PRODUCTION, thumbtack_id="9" * 400, name=HOSTILE * 30)


def texts(post):
    return json.dumps(post.blocks, ensure_ascii=False)


@pytest.mark.parametrize("count", [0, 1, 15, 30, 400])
@pytest.mark.parametrize("name", ["Ana", WIDE, HOSTILE, None])
def test_a_list_of_any_length_fits_and_says_what_it_leaves_out(count, name):
    many = [a_phone(n + 1, name, days=n) for n in range(count)]
    post = phones.page(ODD, many)
    assert judge(asdict(post)) == []
    shown = texts(post).count('"phone_rename"')
    assert shown == count or f"{count - shown} more number" in texts(post)
    assert shown >= min(count, 8)


def test_every_button_carries_our_own_id():
    shown = phones.page(OAK, SOME).blocks
    values = [
        (one["action_id"], one["value"]) for block in shown if block["type"] == "actions" for one in block["elements"]
    ]
    per_number = [(action, str(one.id)) for one in SOME for action in ("phone_rename", "phone_remove")]
    assert values == [*per_number, ("phone_add", "1"), ("phone_import", "1")]


def test_who_may_only_look_gets_no_buttons():
    assert '"button"' not in texts(phones.page(OAK, SOME, may_change=False))


@pytest.mark.parametrize(
    ("find", "names"),
    [
        ("front", ["Front desk"]),
        ("FRONT DESK", ["Front desk"]),
        ("555-0143", ["Ana (cell)"]),
        ("(416) 555", ["No name"]),
        ("5550143", ["Ana (cell)"]),
        ("nobody", []),
        ("crew 0143", []),
        ("", ["Front desk", "Ana (cell)", "No name"]),
    ],
)
def test_numbers_are_found_by_name_or_digits(find, names):
    shown = texts(phones.page(OAK, SOME, find=find))
    assert [one for one in ("Front desk", "Ana (cell)", "No name") if f'"text": "{one}"' in shown] == names


def test_what_nobody_has_is_answered_with_how_to_ask():
    post = phones.page(OAK, SOME, find=HOSTILE * 9)
    assert judge(asdict(post)) == []
    assert "/thumbtack phones add" in texts(post)


@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("entries", [ENTRIES[:1], ENTRIES])
def test_every_outcome_has_its_sentence_whatever_the_names(change, result, entries):
    there = entries if result in (Result.DONE, Result.ALREADY) else ()
    missing = () if there else entries
    about = {"there": there, "missing": missing} if change in (Change.ADD, Change.IMPORT) else {}
    outcome = Outcome(result=result, called=HOSTILE, detail=HOSTILE * 50, **about)
    post = phone_outcomes.outcome(change, outcome, number=NUMBER, name=HOSTILE)
    assert judge(asdict(post)) == []
    assert "<!channel>" not in post.text
    assert judge(asdict(phones.page(OAK, SOME * 20, outcome=post))) == []
    claims = any(word in post.text for word in ("is registered.", "now.", "was removed", "are registered."))
    assert claims == (result is Result.DONE)


def test_numbers_that_are_missing_can_be_pasted_back():
    missing = tuple(Entry(line=n, number=f"+1512555{n:04}", name=f"Crew {n}") for n in range(100))
    outcome = Outcome(result=Result.NOT_LISTED, there=ENTRIES[:1], missing=missing)
    boxes = phone_outcomes.outcome(Change.IMPORT, outcome, number="", name=None).blocks[-1]["elements"]
    text = "".join(box["elements"][0]["text"] for box in boxes)
    bulk = read_bulk(text)
    assert (bulk.wrong, [one.number for one in bulk.entries]) == ((), [one.number for one in missing])


def test_more_missing_numbers_than_fit_are_counted():
    missing = tuple(Entry(line=n, number=f"+1512555{n:04}", name=WIDE) for n in range(100))
    outcome = Outcome(result=Result.NOT_LISTED, missing=missing)
    post = phone_outcomes.outcome(Change.IMPORT, outcome, number="", name=None)
    assert judge(asdict(phones.page(OAK, SOME, outcome=post))) == []
    assert " more" in texts(post)


@pytest.mark.parametrize("reason", [*Reason, "broke", "never heard of"])
@pytest.mark.parametrize("business", [OAK, NAMELESS, ODD])
def test_every_failure_has_its_sentence_and_claims_nothing(reason, business):
    for maybe_done, ending in ((False, "Nothing was changed."), (True, "look with")):
        post = phone_outcomes.did_not_work(
            reason, business=business, changing=True, maybe_done=maybe_done, scope=HOSTILE * 90, detail=HOSTILE * 90
        )
        assert judge(asdict(post)) == []
        assert ending in texts(post)
    listing = phone_outcomes.did_not_work(reason, business=business, changing=False)
    assert "changed" not in texts(listing).replace("change phone numbers", "")


@pytest.mark.parametrize("business", [OAK, ELM, ODD])
def test_windows_are_taken_whatever_the_names(business):
    phone = a_phone(1, HOSTILE * 5 + WIDE)
    entry = Entry(number=NUMBER, name="a" * 100)
    views = [
        phone_windows.add([business], metadata=METADATA, filled_in=entry),
        phone_windows.add([business, *[OAK] * 120], metadata=METADATA),
        phone_windows.rename(business, phone, metadata=METADATA),
        phone_windows.remove(business, phone, metadata=METADATA),
        phone_windows.bulk([business], metadata=METADATA),
    ]
    assert [judge(view) for view in views] == [[]] * len(views)
    assert [view["private_metadata"] for view in views] == [METADATA] * len(views)
    assert judge(asdict(phones.which_business([business] * 120))) == []
    assert judge(asdict(phone_outcomes.adding(business, entry))) == []
    assert judge(asdict(phone_outcomes.not_connected(business))) == []


def test_a_window_cannot_show_endless_errors():
    wrong = [WrongLine(line=n, why=Wrong.REGISTERED, name=WIDE) for n in range(1, 200)]
    assert len(phone_outcomes.why_lines(wrong)) < 3_000
