"""What came of a change, by Thumbtack's list alone."""

import pytest

from bot import phone_changes
from bot.phone_changes import Change, Outcome, Result, Wish
from bot.phone_numbers import Entry
from storage.phones import Listed

ANA, BEN = Entry(number="+15125550142", name="Ana"), Entry(number="+15125550143", name="Ben", line=2)
ADD = Wish(change=Change.ADD, entries=(ANA,))
IMPORT = Wish(change=Change.IMPORT, entries=(ANA, BEN))
RENAME = Wish(change=Change.RENAME, phone_id="1", number=ANA.number, name="Anna")
REMOVE = Wish(change=Change.REMOVE, phone_id="1", number=ANA.number, name="Ana")


def the_list(*entries, is_deleted=False):
    return [
        Listed(
            thumbtack_id=str(one.line), number=one.number, name=one.name, last_activity_at=None, is_deleted=is_deleted
        )
        for one in entries
    ]


NOBODY, ONE, BOTH = the_list(), the_list(ANA), the_list(ANA, BEN)
ANNA = the_list(Entry(number=ANA.number, name="Anna"))
DELETED = the_list(ANA, is_deleted=True)


@pytest.mark.parametrize("wish", [ADD, IMPORT, RENAME, REMOVE])
def test_a_wish_survives_the_outbox(wish):
    assert phone_changes.from_payload(phone_changes.to_payload(wish)) == wish


@pytest.mark.parametrize(
    ("wish", "listed", "at_first", "after_a_lost_answer"),
    [
        (ADD, NOBODY, None, None),
        (ADD, DELETED, None, None),
        (ADD, ONE, Result.ALREADY, Result.DONE),
        (IMPORT, NOBODY, None, None),
        (IMPORT, ONE, Result.ALREADY, None),  # what is missing is sent again
        (IMPORT, BOTH, Result.ALREADY, Result.DONE),
        (RENAME, ONE, None, None),
        (RENAME, ANNA, Result.ALREADY, Result.DONE),
        (RENAME, NOBODY, Result.GONE, Result.GONE),
        (RENAME, DELETED, Result.GONE, Result.GONE),
        (REMOVE, ONE, None, None),
        (REMOVE, NOBODY, Result.GONE, Result.DONE),
        (REMOVE, DELETED, Result.GONE, Result.DONE),
    ],
)
def test_what_is_so_already_is_not_asked_for(wish, listed, at_first, after_a_lost_answer):
    for maybe_done, expected in ((False, at_first), (True, after_a_lost_answer)):
        outcome = phone_changes.before(wish, listed, maybe_done=maybe_done)
        assert (outcome.result if outcome else None) is expected


@pytest.mark.parametrize(
    ("wish", "listed", "result"),
    [
        (ADD, ONE, Result.DONE),
        (ADD, NOBODY, Result.NOT_LISTED),
        (IMPORT, BOTH, Result.DONE),
        (IMPORT, ONE, Result.NOT_LISTED),
        (RENAME, ANNA, Result.DONE),
        (RENAME, ONE, Result.NOT_LISTED),
        (RENAME, NOBODY, Result.GONE),
        (REMOVE, DELETED, Result.DONE),
        (REMOVE, ONE, Result.NOT_LISTED),
    ],
)
def test_only_the_list_says_what_came_of_it(wish, listed, result):
    assert phone_changes.after(wish, listed).result is result
    refused = phone_changes.after(wish, listed, is_refused=True, detail="No.")
    assert refused.result is (Result.REJECTED if result is Result.NOT_LISTED else result)
    assert refused.detail == ("No." if refused.result is Result.REJECTED else None)


def test_the_difference_is_named():
    assert phone_changes.after(IMPORT, ONE) == Outcome(result=Result.NOT_LISTED, there=(ANA,), missing=(BEN,))
    assert phone_changes.to_send(IMPORT, ONE) == (BEN,)


def test_numbers_are_compared_however_they_are_written():
    written = the_list(Entry(number="(512) 555-0142", name="Ana"))
    assert phone_changes.to_send(ADD, written) == ()
    assert phone_changes.number_of(RENAME, written) == "(512) 555-0142"
    assert phone_changes.number_of(RENAME, NOBODY) == ANA.number
    assert (phone_changes.name_of(RENAME, ONE), phone_changes.name_of(RENAME, NOBODY)) == ("Ana", None)
