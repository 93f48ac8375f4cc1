"""Leads that say more than a card holds: they go on below it, and nothing is lost."""

import re
from dataclasses import asdict

from support.judge_blocks import judge
from support.samples import a_customer, a_lead, a_view
from support.shown import seen, texts

from bot.blocks import leads


def many_answers(count, length=40):
    return [{"question": f"Question {n}?", "answer": f"answer-{n} " + "x" * length} for n in range(count)]


def test_short_lead_has_no_continuation():
    assert leads.continuations(a_view()) == []


def test_long_description_goes_on_below_and_loses_nothing():
    description = " ".join(f"word{n}" for n in range(3_000))
    view = a_view(a_lead(description=description, details=[]))
    posts = [leads.card(view), *leads.continuations(view)]
    shown = "".join("".join(texts(post.blocks, "text")) for post in posts)
    assert re.findall(r"word\d+", shown) == description.split()
    assert "Below: the rest of the description." in seen(posts[:1])
    assert [judge(asdict(post)) for post in posts] == [[]] * len(posts)


def test_all_of_a_hundred_answers_are_shown():
    view = a_view(a_lead(details=many_answers(100)))
    posts = [leads.card(view), *leads.continuations(view)]
    assert [int(n) for n in re.findall(r"answer-(\d+)", seen(posts))] == list(range(100))
    assert "are kept" not in seen(posts)


def test_ten_thousand_answers_make_five_posts_and_a_line_that_counts_the_rest():
    view = a_view(a_lead(details=many_answers(10_000)))
    posts = [leads.card(view), *leads.continuations(view)]
    assert len(posts) == 5
    shown = {int(n) for n in re.findall(r"answer-(\d+)", seen(posts))}
    (kept,) = re.findall(r"… and (\d+) more answers are kept\.", seen(posts))
    assert len(shown) + int(kept) == 10_000
    assert shown == set(range(len(shown)))
    assert [judge(asdict(post)) for post in posts] == [[]] * 5


def test_a_description_that_does_not_fit_is_told():
    view = a_view(a_lead(description="word " * 20_000, details=many_answers(9)))
    assert "… and the rest of the description and 1 more answer are kept." in seen(leads.continuations(view))


def test_one_very_long_answer_is_cut_at_safe_points_and_loses_nothing():
    answer = " ".join(f"word{n}" for n in range(1_000))
    view = a_view(a_lead(details=[{"question": "What?", "answer": answer}]))
    shown = "".join("".join(texts(post.blocks, "text")) for post in leads.continuations(view))
    assert re.findall(r"word\d+", shown) == answer.split()


def test_facts_that_are_too_long_for_the_card_follow_in_full():
    long = "a very long fact " * 30
    view = a_view(a_lead(travel_preferences=long, category=long))
    below = seen(leads.continuations(view))
    assert below.count(long.strip()) == 2
    assert "…" in leads.headline(a_lead(category=long))


def test_what_long_facts_leave_no_room_for_on_the_card_follows_below():
    long = "😀" * 400
    facts = dict.fromkeys(("category", "title", "schedule", "address1", "travel_preferences", "price_text"), long)
    details = [{"question": "?", "answer": f"answer-{n} " + "😀" * 50} for n in range(8)]
    view = a_view(
        a_lead(**facts, charge_text=long, charge_state=long, description="😀" * 400, details=details),
        customer=a_customer(name=long, phone=long),
        ring=("U012AB3CDEF",) * 50,
    )
    card, *below = leads.card(view), *leads.continuations(view)
    assert "answer-7" not in seen([card])
    assert [int(n) for n in re.findall(r"answer-(\d+)", seen([card, *below]))] == list(range(8))
    assert re.search(r"Below: \d more answer", seen([card]))


def test_answers_without_question_or_answer():
    details = [{"question": "Rooms", "answer": ""}, {"question": None, "answer": "4"}, {}, {"answer": 5, "question": 6}]
    shown = texts(leads.card(a_view(a_lead(details=details))).blocks, "text")
    assert shown[-8:] == ["Rooms: ", "—", "\n", "Answer: ", "4", "\n", "6: ", "5"]
