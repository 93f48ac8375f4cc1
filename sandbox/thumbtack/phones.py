"""v4's phone numbers: who of a business may call and text customers through Thumbtack Numbers.

Source: Thumbtack's "Phone Numbers" page. Which error a bad number gets, what happens to duplicates, and whether a bulk
call can succeed in part are not published: here a bad one is refused with all the others, a known one is passed over.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack.admission import Admission
from sandbox.thumbtack.answering import AnswerError, Door, json_body, problem
from sandbox.thumbtack.bodies import new_id
from sandbox.thumbtack.grants import Grants
from sandbox.thumbtack.v4_bodies import iso

Json = dict[str, Any]

NUMBER = re.compile(r"\+1\d{1,14}")  # the specification's pattern, ^\+1\d{1,14}$
PHONES = "/v4/businesses/{business_id}/associate-phone-numbers"
READ = "supply::businesses/associate-phone-numbers.read"
WRITE = "supply::businesses/associate-phone-numbers.write"


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A phone number that was registered once; a removed one stays in the list."""

    phone_id: str
    business_id: str
    number: str
    name: str | None
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime | None = None
    is_deleted: bool = False


class PhoneBook:
    """All numbers; `faults` are taken by the name "phones". `dropped`: numbers that a bulk call silently leaves out.

    `bulk_calls`: the numbers that each bulk call named.
    """

    def __init__(
        self, *, grants: Grants, faults: Faults, clock: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        self.dropped: set[str] = set()
        self.bulk_calls: list[list[str]] = []
        self._books: dict[str, dict[str, Phone]] = defaultdict(dict)
        self._admission = Admission(grants)
        self._clock = clock
        self._changed = changed
        door = Door(faults)
        self.routes = [
            door.route(PHONES, "phones", self._list, methods=("GET",)),
            door.route(PHONES, "phones", self._create, methods=("POST",)),
            door.route(f"{PHONES}/{{phone_id}}", "phones", self._replace, methods=("PUT",)),
            door.route(f"{PHONES}/{{phone_id}}", "phones", self._delete, methods=("DELETE",)),
            door.route(f"{PHONES}-bulk-create", "phones", self._create_all, methods=("POST",)),
        ]

    def of(self, business_id: str) -> list[Phone]:
        """All numbers of a business, removed ones too, oldest first."""
        return list(self._books[business_id].values())

    def add(
        self, business_id: str, number: str, name: str | None = None, *, last_activity_at: datetime | None = None
    ) -> Phone:
        """A number is there (as somebody registered it in Thumbtack itself)."""
        now = self._clock()
        phone = Phone(
            phone_id=new_id(),
            business_id=business_id,
            number=number,
            name=name,
            created_at=now,
            updated_at=now,
            last_activity_at=last_activity_at,
        )
        return self._keep(phone)

    async def _list(self, request: Request) -> Response:
        business_id = self._admission.v4_business(request, READ)
        return JSONResponse({"phoneNumbers": [_told(one) for one in self.of(business_id)]})

    async def _create(self, request: Request) -> Response:
        business_id = self._admission.v4_business(request, WRITE)
        number, name = _read(await json_body(request), at="")
        if self._has(business_id, number):
            return problem(400, "This phone number is registered already.", errors=[])
        return JSONResponse(_told(self.add(business_id, number, name)), 201)

    async def _create_all(self, request: Request) -> Response:
        business_id = self._admission.v4_business(request, WRITE)
        given = (await json_body(request)).get("phoneNumbers")
        if not isinstance(given, list) or not given:
            raise AnswerError(problem(400, "phoneNumbers must be a list that holds something.", errors=[]))
        read = [_read(one, at=f"phoneNumbers[{place}].") for place, one in enumerate(given)]
        self.bulk_calls.append([number for number, _ in read])
        fresh = [one for one in dict(read).items() if not self._has(business_id, one[0]) and one[0] not in self.dropped]
        made = [self.add(business_id, number, name) for number, name in fresh]
        return JSONResponse({"phoneNumbers": [_told(one) for one in made]}, 201)

    async def _replace(self, request: Request) -> Response:
        phone = self._known(request)
        number, name = _read(await json_body(request), at="")
        if number != phone.number and self._has(phone.business_id, number):
            return problem(400, "This phone number is registered already.", errors=[])
        changed = self._keep(replace(phone, number=number, name=name, updated_at=self._clock()))
        return JSONResponse(_told(changed))

    async def _delete(self, request: Request) -> Response:
        phone = self._known(request)
        self._keep(replace(phone, is_deleted=True, updated_at=self._clock()))
        return Response(status_code=204)

    def _known(self, request: Request) -> Phone:
        """The number in the path; a 404 for one that is not there any more."""
        business_id = self._admission.v4_business(request, WRITE)
        phone = self._books[business_id].get(request.path_params["phone_id"])
        if phone is None or phone.is_deleted:
            raise AnswerError(problem(404, "No such phone number."))
        return phone

    def _has(self, business_id: str, number: str) -> bool:
        return any(one.number == number and not one.is_deleted for one in self.of(business_id))

    def _keep(self, phone: Phone) -> Phone:
        self._books[phone.business_id][phone.phone_id] = phone
        self._changed()
        return phone


def _read(item: Any, *, at: str) -> tuple[str, str | None]:
    """The number and name of an item; a 400 that says where the mistake is."""
    number, name = (item.get("phoneNumber"), item.get("name")) if isinstance(item, dict) else (None, None)
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        raise _mistake(f"{at}phoneNumber", "must match ^\\+1\\d{1,14}$")
    if name is not None and not isinstance(name, str):
        raise _mistake(f"{at}name", "must be text")
    return number, name


def _mistake(field: str, sentence: str) -> AnswerError:
    errors: Sequence[Json] = [{"field": field, "detail": sentence}]
    kind = "https://api.thumbtack.com/problems/validation-error"
    return AnswerError(problem(400, f"{field} {sentence}", errors=errors, type=kind))


def _told(phone: Phone) -> Json:
    """A number as the page's sample shows it."""
    told: Json = {
        "phoneNumberID": phone.phone_id,
        "businessID": phone.business_id,
        "phoneNumber": phone.number,
        "createdTime": iso(phone.created_at),
        "updatedTime": iso(phone.updated_at),
        "isDeleted": phone.is_deleted,
        "name": phone.name or "",
    }
    return told | ({"lastActivityTime": iso(phone.last_activity_at)} if phone.last_activity_at else {})
