"""The tree of errors keeps what its module promises."""

import inspect

from webhooks.thumbtack import errors
from webhooks.thumbtack.errors import OutcomeUnknown, RequestRejected, ThumbtackError

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, ThumbtackError)]


def test_the_drawing_shows_every_class_with_its_reason():
    drawing = errors.__doc__
    for one in CLASSES:
        assert one.__name__ in drawing
        assert one.__subclasses__() or f'"{one.reason}"' in drawing


def test_reasons_are_distinct():
    assert len({one.reason for one in CLASSES}) == len(CLASSES)


def test_the_docstring_is_the_default_sentence():
    for one in CLASSES:
        assert str(one()) == inspect.getdoc(one).splitlines()[0]
        assert str(one("Another sentence.")) == "Another sentence."


def test_only_an_unknown_outcome_is_dangerous_to_repeat():
    assert [one for one in CLASSES if not one.safe_to_repeat] == [OutcomeUnknown]


def test_text_from_outside_stays_out_of_the_log():
    refused = RequestRejected(detail="Maya says hello", status=404, trace_id="abc")
    assert str(refused) == "Thumbtack refused the request. (HTTP 404)"
    assert "Maya" not in repr(refused)
