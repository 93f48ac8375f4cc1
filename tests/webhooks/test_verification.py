"""Who calls: the credentials of a webhook."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.verification import Credentials

PAIR = Credentials(username="thumbtack", passwords=["päss:word", "the one before"])


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("password", PAIR.passwords)
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_present_and_the_previous_password_are_right(password, scheme):
    assert PAIR.allow(basic(f"thumbtack:{password}", scheme))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        basic("thumbtack"),
        basic("thumbtack:"),
        basic(":päss:word"),
        basic("thumbtack:päss:wor"),
        basic("thumbtack:päss:word "),
        basic("Thumbtack:päss:word"),
        basic("thumbtack:päss:word", "Bearer"),
        "Basic päss",
        "Basic !!!!",
        "Basic dGh1bWJ0YWNrOg",
        basic("thumbtack:päss:word") + "=",
        "päss:word",
    ],
)
def test_anything_else_is_wrong(header):
    assert not PAIR.allow(header)


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_breaks_it(header):
    assert not PAIR.allow(header)
    assert not PAIR.allow(f"Basic {header}")


def test_every_password_is_compared_in_full_whatever_came_before(monkeypatch):
    compared = []

    def spy(given, right):
        compared.append(right)
        return compare(given, right)

    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", spy)
    assert PAIR.allow(basic("thumbtack:päss:word"))
    assert compared == ["thumbtack:päss:word".encode(), b"thumbtack:the one before"]


def test_passwords_are_never_shown():
    assert "word" not in repr(PAIR)
    assert "before" not in repr(PAIR)
