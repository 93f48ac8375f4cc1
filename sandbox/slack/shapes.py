"""A small language to say what a piece of JSON must look like, and to complain about it in Slack's own words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Complaints:
    """What is wrong, each with a JSON pointer to where, as Slack writes it in response_metadata.messages."""

    found: list[str] = field(default_factory=list)

    def add(self, sentence: str, at: str) -> None:
        """Complain about the place `at`."""
        self.found.append(f"{sentence} [json-pointer:{at}]")


Check = Callable[[Any, str, Complaints], None]


def string(*, most: int, least: int = 1) -> Check:
    """Text of `least` to `most` characters."""

    def check(value: Any, at: str, complaints: Complaints) -> None:
        if not isinstance(value, str):
            complaints.add("must be a string", at)
        elif len(value) < least:
            complaints.add(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            complaints.add(f"must be less than {most + 1} characters", at)

    return check


def matching(pattern: Callable[[str], object], *, sentence: str, most: int) -> Check:
    """Text for which `pattern` holds."""
    length = string(most=most)

    def check(value: Any, at: str, complaints: Complaints) -> None:
        length(value, at, complaints)
        if isinstance(value, str) and not pattern(value):
            complaints.add(sentence, at)

    return check


def flag(value: Any, at: str, complaints: Complaints) -> None:
    """True or false."""
    if not isinstance(value, bool):
        complaints.add("must be a boolean", at)


def whole_number(value: Any, at: str, complaints: Complaints) -> None:
    """An integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        complaints.add("must be an integer", at)


def one_of(*allowed: object) -> Check:
    """Exactly one of these values."""

    def check(value: Any, at: str, complaints: Complaints) -> None:
        if value not in allowed:
            complaints.add(f"must be a valid enum value: {', '.join(map(str, allowed))}", at)

    return check


def items(check_item: Check, *, most: int, least: int = 1) -> Check:
    """A list of `least` to `most` items that all pass."""

    def check(value: Any, at: str, complaints: Complaints) -> None:
        if not isinstance(value, list):
            complaints.add("must be an array", at)
            return
        if len(value) < least:
            complaints.add(f"no less than {least} items allowed", at)
        if len(value) > most:
            complaints.add(f"no more than {most} items allowed", at)
        for number, item in enumerate(value):
            check_item(item, f"{at}/{number}", complaints)

    return check


def record(
    required: Mapping[str, Check] | None = None,
    optional: Mapping[str, Check] | None = None,
    *,
    any_of: tuple[str, ...] = (),
) -> Check:
    """An object with the `required` fields, perhaps the `optional` ones, nothing else, and at least one of `any_of`."""
    required, optional = required or {}, optional or {}
    known = {**required, **optional}

    def check(value: Any, at: str, complaints: Complaints) -> None:
        if not isinstance(value, dict):
            complaints.add("must provide an object", at)
            return
        for name in required:
            if value.get(name) is None:
                complaints.add(f"missing required field: {name}", at)
        if any_of and all(value.get(name) is None for name in any_of):
            complaints.add(f"must define either {' or '.join(f'`{name}`' for name in any_of)}", at)
        for name, inner in value.items():
            if name not in known:
                complaints.add(f"invalid additional property: {name}", at)
            elif inner is not None:
                known[name](inner, f"{at}/{name}", complaints)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object judged by the shape that its `type` names."""

    def check(value: Any, at: str, complaints: Complaints) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            complaints.add("missing required field: type", at)
        elif kind not in kinds:
            complaints.add(f"unsupported type: {kind}", f"{at}/type")
        else:
            kinds[kind](value, at, complaints)

    return check
