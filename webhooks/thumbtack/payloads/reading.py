"""How a body is read tolerantly: field types that never fail over an optional field, and what of a body was left over."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.alias_generators import to_camel

from webhooks.thumbtack.payloads.extra import jsonb_safe
from webhooks.thumbtack.payloads.ids import read_id
from webhooks.thumbtack.payloads.text import plain, prose
from webhooks.thumbtack.payloads.times import epoch, instant

T = TypeVar("T")


def _wire_name(name: str) -> str:
    """`lead_id` is `leadID` at Thumbtack, `zip_code` is `zipCode`."""
    camel = to_camel(name)
    return f"{camel[:-2]}ID" if name.endswith("_id") else camel


class Body(BaseModel):
    """Base of everything read from a body; its fields have Thumbtack's names with underscores."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=_wire_name)


def _count(value: Any) -> int | None:
    """A size in bytes, as a number or as text; None where it cannot be one."""
    text = plain(value)
    return int(text) if text and len(text) <= 18 and text.isascii() and text.isdecimal() else None


def _truth(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get((plain(value) or "").lower())


def _required(value: Any) -> str:
    found = plain(value)
    if found is None:
        raise ValueError("missing")
    return found


def _required_id(value: Any) -> str:
    found = read_id(value)
    if found is None:
        raise ValueError("missing")
    return found


def _or_none(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


Id = Annotated[str, BeforeValidator(_required_id)]
OptionalId = Annotated[str | None, BeforeValidator(read_id)]
RequiredText = Annotated[str, BeforeValidator(_required)]
Plain = Annotated[str | None, BeforeValidator(plain)]
Prose = Annotated[str | None, BeforeValidator(prose)]
Time = Annotated[datetime | None, BeforeValidator(epoch)]
Instant = Annotated[datetime | None, BeforeValidator(instant)]
Count = Annotated[int | None, BeforeValidator(_count)]
Truth = Annotated[bool | None, BeforeValidator(_truth)]
Maybe = Annotated[T | None, WrapValidator(_or_none)]
"""An object, None where it is none or lacks what makes it one (a business without an id)."""
Items = Annotated[tuple[Maybe[T], ...], BeforeValidator(_list)]
"""A list of objects, in place: None where an element is no such object; empty where it is no list."""


def left_over(body: Body, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What `raw` holds that `body` did not take, at the same places, fit for a database.

    That is fields we do not know and known ones whose value could not be read. An element of a list that was not
    taken whole is kept whole, so that one can tell which it was.
    """
    kept: dict[str, Any] = jsonb_safe(_left_over(body, raw))
    return kept


def _left_over(body: Body, raw: Mapping[str, Any]) -> dict[str, Any]:
    known, kept = _names(type(body)), {}
    for key, value in raw.items():
        rest = _rest(getattr(body, known[key]), value) if key in known else value
        if not _says_nothing(rest):
            kept[key] = rest
    return kept


@cache
def _names(body: type[Body]) -> Mapping[str, str]:
    """The names of its fields, by Thumbtack's."""
    return {field.alias or name: name for name, field in body.model_fields.items()}


def _rest(read: Any, raw: Any) -> Any:
    """What of one value was not taken; None if nothing."""
    if isinstance(read, Body):
        return _left_over(read, raw)
    if isinstance(read, tuple):
        return _rest_of_items(read, raw)
    return raw if read is None else None


def _rest_of_items(read: tuple[Body | None, ...], raw: Any) -> Any:
    if not isinstance(raw, list):
        return raw
    pairs = zip(read, raw, strict=True)
    return [value for body, value in pairs if not _says_nothing(value) and (body is None or _left_over(body, value))]


def _says_nothing(value: Any) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())
