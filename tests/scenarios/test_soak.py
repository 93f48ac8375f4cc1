"""The soak in its short form: real processes, random kills and faults; and that its count finds what is wrong."""

import re
from typing import Any

import pytest

from benchmarks.soak import Options, soak
from benchmarks.soak_tally import CHECK, WARNING, Job, Seen, rows, tally


async def test_killed_and_failed_at_random_nothing_is_lost_or_stands_twice_and_the_order_is_kept(database_url: str):
    soaked = await soak(Options(events=90, kills=2, seconds=40, seed=11, database=database_url))
    assert soaked.held, soaked
    assert sum(map(int, re.findall(r"(\d+) by", soaked.facts["ends"]))) == 2
    assert soaked.facts["mistakes in the log"] == "0"


# The count itself


def post(ts: int, text: str, thread: int | None = None) -> dict[str, Any]:
    return {"ts": f"{ts}.0", "text": text} | ({} if thread is None else {"thread_ts": f"{thread}.0"})


def job() -> Job:
    return Job(
        number=7,
        lead_id="L7",
        messages=2,
        priced="$7.03",
        reviewed=True,
        won=True,
        replies=[("10.0", "job7r0"), ("11.0", "job7r1")],
        notes=["note: job7n2"],
    )


CARD = post(1, "job7 · Priya Raman") | {"blocks": [{"type": "emoji", "name": "trophy"}]}
LINES = [
    post(2, "Priya Raman: job7m0", 1),
    post(3, "Priya Raman: job7m1", 1),
    post(4, "Lead cost: $7.03", 1),
    post(5, "Review: job7v0", 1),
]
GOOD: dict[str, Any] = {
    "posts": [CARD, *LINES],
    "marks": {"10.0": [CHECK], "11.0": [CHECK]},
    "received": {"L7": ["job7r0", "job7r1"]},
}
WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "no card": ("lost", {"posts": LINES}),
    "a line is missing": ("lost", {"posts": [CARD, *LINES[1:]]}),
    "a price is missing": ("lost", {"posts": [CARD, *LINES[:2], LINES[3]]}),
    "a card that does not say it was won": ("lost", {"posts": [post(1, "job7 · Priya Raman"), *LINES]}),
    "a line below another card": ("lost", {"posts": [CARD, post(2, "Priya Raman: job7m0", 9), *LINES[1:]]}),
    "a reply without a mark": ("lost", {"marks": {"10.0": [CHECK]}}),
    "a mark that lies": ("lost", {"received": {"L7": ["job7r1"]}}),
    "a mark that denies": ("lost", {"marks": {"10.0": ["x"], "11.0": [CHECK]}}),
    "two cards": ("twice", {"posts": [CARD, *LINES, post(8, "job7 · Priya Raman")]}),
    "two lines": ("twice", {"posts": [CARD, *LINES, post(8, "Priya Raman: job7m1", 1)]}),
    "two prices": ("twice", {"posts": [CARD, *LINES, post(8, "Lead cost: $7.03", 1)]}),
    "two replies": ("twice", {"received": {"L7": ["job7r0", "job7r0", "job7r1"]}}),
    "lines changed places": ("disordered", {"posts": [CARD, LINES[1], LINES[0], *LINES[2:]]}),
    "replies changed places": ("disordered", {"received": {"L7": ["job7r1", "job7r0"]}}),
    "a note left": ("left", {"received": {"L7": ["job7r0", "job7r1", "note: job7n2"]}}),
}


def test_what_is_as_it_should_be_holds():
    found = tally([job()], Seen(**GOOD))
    assert found.held
    assert ("lost", "0") in list(rows(found, {"events": "1"}))


def test_what_nobody_can_know_holds_as_long_as_it_is_said_and_came_at_most_once():
    marks = {"10.0": [WARNING], "11.0": [CHECK]}
    for received in (["job7r0", "job7r1"], ["job7r1"]):
        found = tally([job()], Seen(**GOOD | {"marks": marks, "received": {"L7": received}}))
        assert (found.held, found.unknown) == (True, ["job7r0"])


@pytest.mark.parametrize(("which", "wrong"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_found(which: str, wrong: dict[str, Any]):
    found = tally([job()], Seen(**GOOD | wrong))
    assert not found.held
    assert getattr(found, which)
