"""The Pro API's targeting endpoints (v3): new leads on and off for a service, or for one category of it.

Source: the Pro API's page, "Targeting Endpoints", with its tables of errors. There is no way to ask what is set.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.faults import Faults
from sandbox.thumbtack.admission import Admission
from sandbox.thumbtack.answering import AnswerError, Door, json_body, problem
from sandbox.thumbtack.grants import Grants

SERVICE = "/v3/accounts/{account_id}/services/{service_id}"
ENABLED = {"true": True, "false": False}
"""The documented values, which are texts."""


@dataclass(frozen=True, kw_only=True)
class TargetingCall:
    """One accepted call; without a category it is the whole service."""

    business_id: str
    category_id: str | None
    enabled: bool
    at: datetime


class Targeting:
    """What is set, and every call that set it; `faults` are taken by the name "targeting".

    `categories`: those that exist (None: every number is one).
    """

    def __init__(
        self, *, grants: Grants, faults: Faults, clock: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        self.state: dict[tuple[str, str | None], bool] = {}
        self.calls: list[TargetingCall] = []
        self.categories: Collection[str] | None = None
        self._admission = Admission(grants)
        self._clock = clock
        self._changed = changed
        door = Door(faults)
        self.routes = [
            door.route(f"{SERVICE}/preferences/targeting", "targeting", self._set, methods=("PATCH",)),
            door.route(
                f"{SERVICE}/categories/{{category_id}}/preferences/targeting",
                "targeting",
                self._set,
                methods=("PATCH",),
            ),
        ]

    async def _set(self, request: Request) -> Response:
        grant = self._admission.legacy(request, "targeting")
        enabled = (await json_body(request)).get("enabled")
        if not isinstance(enabled, str) or enabled not in ENABLED:
            return problem(400, 'enabled must be "true" or "false".')
        service_id, category_id = request.path_params["service_id"], request.path_params.get("category_id")
        for name, value in (("serviceID", service_id), ("categoryID", category_id)):
            if value is not None and not value.isdecimal():
                return problem(400, f"Invalid {name} type.")
        if service_id not in grant.businesses:
            raise AnswerError(problem(401, "Invalid ServiceID."))
        if category_id is not None and self.categories is not None and category_id not in self.categories:
            return problem(404, "Invalid CategoryID.")
        self._write(service_id, category_id, enabled=ENABLED[enabled])
        return JSONResponse({"status": "success"})

    def _write(self, business_id: str, category_id: str | None, *, enabled: bool) -> None:
        self.state[business_id, category_id] = enabled
        self.calls.append(
            TargetingCall(business_id=business_id, category_id=category_id, enabled=enabled, at=self._clock())
        )
        self._changed()
