"""Reads the arguments of a Web API call the way Slack does: query, form or JSON, and structures perhaps as text."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

Json = dict[str, Any]


class RefusedError(Exception):
    """Slack answers `ok: false` with this error; `details` are its sentences, `fields` further keys of the answer."""

    def __init__(self, error: str, details: tuple[str, ...] = (), **fields: Any) -> None:
        super().__init__(error)
        self.error, self.details, self.fields = error, details, fields

    def answer(self) -> Json:
        """The JSON body Slack sends."""
        body: Json = {"ok": False, "error": self.error, **self.fields}
        if self.details:
            body["errors"] = list(self.details)
            body["response_metadata"] = {"messages": [f"[ERROR] {detail}" for detail in self.details]}
        return body


class Arguments:
    """What a call was given; a missing argument reads as empty, 0, False or None."""

    def __init__(self, given: Json) -> None:
        self._given = given

    def __contains__(self, name: str) -> bool:
        return self._given.get(name) is not None

    def text(self, name: str) -> str:
        """The argument as text."""
        value = self._given.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        """True for true, "true" and "1" (slack_sdk writes booleans in a query as 0 and 1)."""
        return self.text(name).lower() in ("true", "1")

    def number(self, name: str, *, default: int, most: int) -> int:
        """A count from 1 to `most`; anything else is refused as invalid_limit."""
        value = self.text(name) or str(default)
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise RefusedError("invalid_limit")
        return int(value)

    def structure(self, name: str, *, error: str) -> Any:
        """An object or array, given as JSON or as text that holds JSON; what is neither is refused with `error`."""
        value = self._given.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise RefusedError(error) from None
        if not isinstance(value, dict | list):
            raise RefusedError(error)
        return value


@dataclass(frozen=True, kw_only=True)
class Received:
    """One HTTP call of a Web API method; `given` is without the token."""

    given: Json
    token: str | None
    is_json: bool = False
    warning: str | None = None
    error: str | None = None


async def receive(request: Request) -> Received:
    """Everything a call brings (https://docs.slack.dev/apis/web-api#basics); broken JSON is an error, not a crash."""
    given: Json = dict(request.query_params)
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    is_json = media_type.strip().lower() == "application/json"
    error = None
    if is_json:
        body, error = _json_object(await request.body())
        given |= body
    elif request.method == "POST":
        given |= dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    in_arguments = given.pop("token", None)
    token = bearer.strip() if scheme.lower() == "bearer" else in_arguments
    warning = "missing_charset" if is_json and "charset" not in parameters.lower() else None
    return Received(given=given, token=token, is_json=is_json, warning=warning, error=error)


def _json_object(body: bytes) -> tuple[Json, str | None]:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return {}, "invalid_json"
    return (given, None) if isinstance(given, dict) else ({}, "json_not_object")
