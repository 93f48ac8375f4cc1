"""Raw bodies: what is still read, what is refused, and which two are the same."""

import contextlib
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.thumbtack.errors import JsonError
from webhooks.thumbtack.payloads.body import MAX_DEPTH, VOLATILE_V4, body_hash, read_json

TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        (b'"\xff"', "\ufffd"),
        (b'"\\ud800"', "\ud800"),
        (b'"\\u0000"', "\x00"),
        (b'"a\nb"', "a\nb"),
        (b"[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        (b"[1e999]", ["1e999"]),
        (b"[9223372036854775807, 18446744073709551615]", [2**63 - 1, 2**64 - 1]),
        (b"[18446744073709551616]", ["18446744073709551616"]),
        (b"[-9223372036854775808]", [-(2**63)]),
        (b"[-9223372036854775809]", ["-9223372036854775809"]),
        (b"[" + b"9" * 5000 + b"]", ["9" * 5000]),
        (b"null", None),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_reads(body, expected):
    assert read_json(body) == expected


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"{'a': 1}", b'{"a": 1,}', b"text", b"\x00", b"\xff\xfe", b'{"a": 1} {', b'"\xf0']
)
def test_refuses_what_is_no_json(body):
    with pytest.raises(JsonError):
        read_json(body)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 1000, 1024, 1025, 100_000])
@pytest.mark.parametrize("around", [b"%b", b'{"a": NaN, "b": %b}'])
def test_refuses_deep_nesting(depth, around):
    with pytest.raises(JsonError):
        read_json(around % nested(depth))


def test_many_brackets_are_not_depth():
    assert read_json(nested(MAX_DEPTH)) is not None
    assert len(read_json(b"[" + b",".join([b"[]"] * 10_000) + b"]")) == 10_000
    assert read_json(json.dumps("[" * 5000).encode()) == "[" * 5000


def test_a_refusal_does_not_carry_the_body_along():
    with pytest.raises(JsonError) as refused:
        read_json(b'{"name": "Maya"')
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@given(st.binary())
def test_any_bytes_give_a_value_or_a_json_error(body):
    with contextlib.suppress(JsonError):
        assert len(body_hash(read_json(body))) == 64


@given(JSON)
def test_what_json_writes_is_read_and_hashed(value):
    read = read_json(json.dumps(value).encode())
    assert len(body_hash(read)) == 64
    assert body_hash(read) == body_hash(read_json(json.dumps(value, indent=1).encode()))


@given(st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1)))
def test_the_order_of_keys_does_not_matter_and_what_they_hold_does(value):
    assert body_hash(value) == body_hash(dict(reversed(value.items())))
    assert body_hash(value) != body_hash({**value, "another": "one"})
    assert read_json(orjson.dumps(value)) == value


def test_lone_surrogates_are_told_apart():
    assert body_hash({"a": "\ud800"}) == body_hash({"a": "\ud800"})
    assert len({body_hash({"a": text}) for text in ("\ud800", "\ud801", "\ufffd", "\\ud800")}) == 4


def test_what_differs_between_two_deliveries_can_be_ignored():
    one = {"event": {"eventType": "X", "triggeredAt": "1", "webhookID": "2"}, "data": {"triggeredAt": "1"}}
    again = {"event": {"eventType": "X", "triggeredAt": "3", "webhookID": "4"}, "data": {"triggeredAt": "1"}}
    other = {"event": {"eventType": "X", "triggeredAt": "1", "webhookID": "2"}, "data": {"triggeredAt": "2"}}
    assert body_hash(one) != body_hash(again)
    assert body_hash(one, ignoring=VOLATILE_V4) == body_hash(again, ignoring=VOLATILE_V4)
    assert body_hash(one, ignoring=VOLATILE_V4) != body_hash(other, ignoring=VOLATILE_V4)
    assert one["event"]["triggeredAt"] == "1"


@pytest.mark.parametrize("payload", [None, [], "event", {}, {"event": None}, {"event": "triggeredAt"}])
def test_ignoring_what_is_not_there(payload):
    assert body_hash(payload, ignoring=VOLATILE_V4) == body_hash(payload)
