"""Phone numbers at the stand-in: listed with the removed ones, added, changed, removed, and many at once."""

import pytest
from support.consents import OTHER, PRO

from sandbox.faults import Fault

PHONES = f"/api/v4/businesses/{PRO}/associate-phone-numbers"
FRONT = {"phoneNumber": "+16505550101", "name": "Front desk"}


async def numbers(http, bearer):
    told = (await http.get(PHONES, auth=bearer)).json()["phoneNumbers"]
    return {one["phoneNumber"]: one["isDeleted"] for one in told}


async def test_the_life_of_a_number(thumbtack, http, as_v4, clock):
    bearer = as_v4()
    made = await http.post(PHONES, json=FRONT, auth=bearer)
    phone = made.json()
    assert made.status_code == 201
    assert phone | {"phoneNumberID": ""} == {
        "phoneNumberID": "",
        "businessID": PRO,
        "phoneNumber": "+16505550101",
        "name": "Front desk",
        "isDeleted": False,
        "createdTime": "2026-03-01T12:00:00.000000Z",
        "updatedTime": "2026-03-01T12:00:00.000000Z",
    }
    clock.advance(minutes=1)
    one = f"{PHONES}/{phone['phoneNumberID']}"
    changed = await http.put(one, json={"phoneNumber": "+16505550102"}, auth=bearer)
    assert (changed.json()["name"], changed.json()["updatedTime"]) == ("", "2026-03-01T12:01:00.000000Z")
    assert (await http.delete(one, auth=bearer)).status_code == 204
    assert await numbers(http, bearer) == {"+16505550102": True}
    (kept,) = thumbtack.phones(PRO)
    assert (kept.number, kept.is_deleted, kept.phone_id) == ("+16505550102", True, phone["phoneNumberID"])
    for gone in (http.delete(one, auth=bearer), http.put(one, json=FRONT, auth=bearer)):
        assert (await gone).status_code == 404
    assert (await http.post(PHONES, json={"phoneNumber": "+16505550102"}, auth=bearer)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phoneNumber": "650 555 0101"},
        {"phoneNumber": "+0987654321"},
        {"phoneNumber": "+4930901820"},
        {"phoneNumber": "+1"},
        {"phoneNumber": "+1234567890123456"},
        {"phoneNumber": "+16505550101\n"},
        {"phoneNumber": 16505550101},
        FRONT | {"name": 5},
    ],
    ids=str,
)
async def test_numbers_that_are_refused(thumbtack, http, as_v4, body):
    bearer = as_v4()
    known = thumbtack.add_phone_number(PRO, "+16505550199")
    calls = [
        http.post(PHONES, json=body, auth=bearer),
        http.put(f"{PHONES}/{known.phone_id}", json=body, auth=bearer),
        http.post(f"{PHONES}-bulk-create", json={"phoneNumbers": [FRONT, body]}, auth=bearer),
    ]
    for call in calls:
        refused = await call
        problem = refused.json()
        assert (refused.status_code, problem["status"]) == (400, 400)
        assert problem["errors"][0]["field"].rpartition(".")[2] in ("phoneNumber", "name")
    assert thumbtack.phones(PRO) == [known]


async def test_a_number_is_registered_once(thumbtack, http, as_v4):
    bearer = as_v4()
    first, second = (thumbtack.add_phone_number(PRO, f"+1650555010{digit}") for digit in (1, 2))
    assert (await http.post(PHONES, json=FRONT, auth=bearer)).status_code == 400
    assert (await http.put(f"{PHONES}/{second.phone_id}", json=FRONT, auth=bearer)).status_code == 400
    assert (await http.put(f"{PHONES}/{first.phone_id}", json=FRONT, auth=bearer)).status_code == 200


async def test_many_at_once(thumbtack, http, as_v4):
    bearer = as_v4()
    thumbtack.add_phone_number(PRO, "+16505550101")
    thumbtack.phone_book.dropped = {"+16505550103"}
    given = [{"phoneNumber": f"+1650555010{digit}"} for digit in (1, 2, 2, 3)]
    made = await http.post(f"{PHONES}-bulk-create", json={"phoneNumbers": given}, auth=bearer)
    assert made.status_code == 201
    assert [one["phoneNumber"] for one in made.json()["phoneNumbers"]] == ["+16505550102"]
    assert await numbers(http, bearer) == {"+16505550101": False, "+16505550102": False}
    for wrong in ([], "x", None):
        refused = await http.post(f"{PHONES}-bulk-create", json={"phoneNumbers": wrong}, auth=bearer)
        assert refused.status_code == 400


async def test_what_was_there_before(thumbtack, http, as_v4, clock):
    thumbtack.add_phone_number(PRO, "+16505550101", "Truck", last_activity_at=clock.now)
    (told,) = (await http.get(PHONES, auth=as_v4())).json()["phoneNumbers"]
    assert (told["name"], told["lastActivityTime"]) == ("Truck", "2026-03-01T12:00:00.000000Z")


async def test_numbers_of_another_business_are_not_there(http, as_v4):
    assert (await http.get(PHONES, auth=as_v4(businesses=[OTHER]))).status_code == 404


async def test_they_fail_on_request(thumbtack, http, as_v4):
    thumbtack.faults.add("phones", Fault(status=503))
    assert [(await http.get(PHONES, auth=as_v4())).status_code for _ in range(2)] == [503, 200]
