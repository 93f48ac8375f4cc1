import re

import pytest

from bot import errors, failures
from bot.errors import Reason, sentence
from bot.notes import Disposition
from webhooks.thumbtack import answers
from webhooks.thumbtack import errors as thumbtack


def leaves(error):
    below = error.__subclasses__()
    return [leaf for one in below for leaf in leaves(one)] if below else [error]


@pytest.mark.parametrize("reason", sorted({*Reason, *Disposition} - {Disposition.SEND}))
def test_every_code_has_a_sentence(reason):
    assert reason in errors.SENTENCES


@pytest.mark.parametrize("error", leaves(thumbtack.CallError))
def test_every_answer_of_thumbtack_has_a_sentence(error):
    assert error.reason in errors.SENTENCES


@pytest.mark.parametrize("told", sorted({*errors.SENTENCES.values(), sentence(None)}))
def test_a_sentence_is_short_and_ends_with_what_to_do(told):
    assert len(told) <= 120
    first, *_, last = re.split(r"(?<=\.) ", told)
    assert first != last
    assert re.match(
        r"(Ask|Answer|Change|Connect|Edit|If|Install|Invite|Look|Mend|Nothing|See|Send|Set|Shorten|Tell|To|Write|/)",
        last,
    )


@pytest.mark.parametrize("code", sorted(answers.REJECTING | {"blocked", "sanctioned"}))
def test_what_thumbtack_rejects_by_a_code_is_told_by_it(code):
    error = thumbtack.RequestRejected(code=code, status=400)
    assert sentence(errors.code_of(error)) not in (sentence("rejected"), sentence(None))


def test_what_has_no_code_of_its_own_is_told_by_its_kind():
    assert errors.code_of(thumbtack.RequestRejected(code="of next year")) == "rejected"
    assert errors.code_of(thumbtack.RequestRejected()) == "rejected"
    assert errors.code_of(thumbtack.Unavailable()) == "unavailable"


def test_a_code_without_a_sentence_gets_one():
    assert sentence("brand_new") == sentence(None)
    assert sentence("too_long") != sentence(None)


@pytest.mark.parametrize(
    "error", ["not_in_channel", "channel_not_found", "is_archived", "token_revoked", "missing_scope"]
)
def test_what_slack_refuses_until_somebody_mends_it_has_a_sentence(error):
    assert error in failures.SLACK_HELD
    assert error in errors.SENTENCES
