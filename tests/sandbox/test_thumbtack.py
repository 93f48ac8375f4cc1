"""The stand-in for Thumbtack refuses what the real one refuses, and plays customers against a bot."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from sandbox.faults import Fault
from sandbox.servers import serving
from sandbox.thumbtack import ThumbtackStandIn, bodies
from webhooks.thumbtack.payloads.legacy import Kind, facts

AUTH = ("thumb", "tack")
HELLO = {"text": "Hello"}


class Bot:
    """A webhook that writes down what Thumbtack calls it with."""

    def __init__(self):
        self.calls = []
        self.app = Starlette(routes=[Route("/{path:path}", self._webhook, methods=["POST", "PUT"])])

    async def _webhook(self, request):
        credentials = httpx.BasicAuth("hook", "pass")._auth_header
        assert request.headers["authorization"] == credentials
        assert request.headers["content-type"] == "application/json"
        self.calls.append((request.method, request.url.path, await request.body()))
        return JSONResponse({}, 202 if b"unknown" in self.calls[-1][2] else 200)


def client_of(app, url):
    """HTTP without a socket; only what cuts connections needs a real server."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)


@pytest.fixture
def bot():
    return Bot()


@pytest.fixture
async def thumbtack(bot):
    async with client_of(bot.app, "http://bot") as to_bot:
        yield ThumbtackStandIn(
            username="thumb",
            password="tack",
            webhook_url="http://bot/",
            webhook_username="hook",
            webhook_password="pass",
            known_leads=["1"],
            client=to_bot,
        )


@pytest.fixture
async def http(thumbtack):
    """A client of the stand-in, mounted as the commands mount it."""
    app = Starlette(routes=[Mount("/thumbtack", app=thumbtack.app)])
    async with client_of(app, "http://sandbox/thumbtack") as client:
        yield client


async def post(http, path="/legacy/v1/business/9/lead/1/message", **changes):
    return await http.post(path, **{"json": HELLO, "auth": AUTH} | changes)


async def test_a_message_reaches_the_customer(thumbtack, http):
    answer = await post(http)
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    (sent,) = thumbtack.sent
    assert (sent.business_id, sent.lead_id, sent.text) == ("9", "1", "Hello")
    assert thumbtack.received("1") == ["Hello"]
    assert thumbtack.received("2") == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"auth": ("thumb", "wrong")}, 401),
        ({"auth": ("wrong", "tack")}, 401),
        ({"auth": None}, 401),
        ({"auth": None, "headers": {"Authorization": "Basic %%%"}}, 401),
        ({"auth": None, "headers": {"Authorization": "Bearer dGh1bWI6dGFjaw=="}}, 401),
        ({"json": None, "content": b'{"text": "Hello"}'}, 400),
        ({"json": None, "content": b'{"text"', "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": ["Hello"]}, 400),
        ({"json": {}}, 400),
        ({"json": {"text": ""}}, 400),
        ({"json": {"text": 5}}, 400),
        ({"json": {"text": "x" * 16_385}}, 400),
        ({"path": "/legacy/v1/business/9/lead/2/message"}, 404),
        ({"json": {"text": "x" * 16_384}}, 200),
        ({"json": None, "content": b'{"text": "a"}', "headers": {"Content-Type": "Application/JSON; charset=x"}}, 200),
    ],
    ids=range(15),
)
async def test_what_it_refuses(thumbtack, http, changes, status):
    answer = await post(http, **changes)
    assert answer.status_code == status
    assert bool(thumbtack.sent) is (status == 200)
    if status != 200:
        problem = answer.json()
        assert problem["status"] == status
        assert problem["traceID"]
    assert answer.headers.get("www-authenticate") == ("Basic" if status == 401 else None)


async def test_every_lead_exists_when_none_is_named():
    stand_in = ThumbtackStandIn(username="thumb", password="tack", known_leads=None)
    async with client_of(stand_in.app, "http://sandbox") as client:
        assert (await post(client)).status_code == 200


@pytest.mark.parametrize("target", ["message", "*"])
@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), 429, "traceID"),
        (Fault(status=503), 503, "traceID"),
        (Fault(status=202, body="<html>wait</html>"), 202, "<html>"),
        (Fault(status=200, body=None), 200, "null"),
        (Fault(status=500, body={"my": "own"}), 500, '{"my":"own"}'),
    ],
    ids=range(5),
)
async def test_faults_that_answer(thumbtack, http, target, fault, status, body):
    thumbtack.faults.add(target, fault)
    answer = await post(http)
    assert answer.status_code == status
    assert body in answer.text
    assert answer.headers.get("retry-after") == fault.headers.get("Retry-After")
    assert thumbtack.sent == []
    assert (await post(http)).status_code == 200


@pytest.mark.parametrize(
    ("fault", "arrived"), [(Fault(cut=True), 0), (Fault(lose_answer=True), 1)], ids=["cut", "lost"]
)
async def test_faults_that_cut_the_connection(thumbtack, fault, arrived):
    thumbtack.faults.add("message", fault)
    async with serving(thumbtack.app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(client)
    assert len(thumbtack.sent) == arrived


async def test_a_slow_answer_is_an_answer(thumbtack, http):
    thumbtack.faults.add("message", Fault(delay=0.01))
    assert (await post(http)).status_code == 200


async def test_waiting_until_a_customer_heard(thumbtack, http):
    waiting = asyncio.create_task(thumbtack.wait_until(lambda: thumbtack.received("1") == ["Hello", "Hello"]))
    await asyncio.sleep(0)  # it is waiting from here on
    await post(http)
    assert not waiting.done()
    await post(http)
    await waiting
    with pytest.raises(TimeoutError):
        await thumbtack.wait_until(lambda: False, timeout=0.01)


async def test_a_test_lead(thumbtack, http):
    made = (await post(http, "/legacy/v1/test/create-lead", json={"businessID": "77"})).json()
    assert made["business"]["businessID"] == "77"
    lead_id = made["leadID"]
    assert thumbtack.last_lead_id == lead_id
    assert (await post(http, f"/legacy/v1/business/77/lead/{lead_id}/message")).status_code == 200
    assert (await post(http, f"/legacy/v1/business/78/lead/{lead_id}/message")).status_code == 404
    assert (await post(http, "/legacy/v1/test/create-lead", json={})).status_code == 200
    assert (await post(http, "/legacy/v1/test/create-lead", json=[])).status_code == 400


async def test_a_whole_lead_is_played(thumbtack, bot):
    assert (await thumbtack.lead(customer={"name": "Ann"}, leadPrice=bodies.MISSING)).status_code == 200
    lead_id = thumbtack.last_lead_id
    await thumbtack.message(lead_id, "Hi there", message={"attachments": []})
    await thumbtack.price(lead_id, "$26.00")
    await thumbtack.review(lead_id, "4", "Good")
    await thumbtack.review(None, "1", "Bad")
    assert [(method, path) for method, path, _ in bot.calls] == [
        ("POST", "/v1/lead"),
        ("POST", "/v1/message"),
        ("PUT", "/v1/lead/update"),
        ("POST", "/v1/review"),
        ("POST", "/v1/review"),
    ]
    told = [httpx.Response(200, content=body).json() for _, _, body in bot.calls]
    assert told[0]["customer"] == {"customerID": bodies.CUSTOMER_ID, "name": "Ann", "phone": "4155550134"}
    assert "leadPrice" not in told[0]
    (message,) = facts(Kind.MESSAGE, told[1])
    assert (message.lead_id, message.text) == (lead_id, "Hi there")
    assert message.customer.thumbtack_id == bodies.CUSTOMER_ID
    assert told[2] == {"leadID": lead_id, "leadPrice": "$26.00", "chargeState": "Charged"}
    (good,), (bad,) = facts(Kind.REVIEW, told[3]), facts(Kind.REVIEW, told[4])
    assert (good.lead_id, good.rating, good.verified) == (lead_id, "4", True)
    assert (bad.lead_id, bad.rating, bad.verified) == (None, "1", False)


async def test_messages_name_the_people_of_their_lead(thumbtack, bot):
    await thumbtack.lead(customer={"customerID": "c"}, business={"businessID": "b"})
    await thumbtack.message(thumbtack.last_lead_id, "Hi")
    body = httpx.Response(200, content=bot.calls[-1][2]).json()
    assert (body["customerID"], body["businessID"]) == ("c", "b")
    await thumbtack.lead(customer=None, business="odd")
    await thumbtack.message(thumbtack.last_lead_id, "Hi")
    body = httpx.Response(200, content=bot.calls[-1][2]).json()
    assert (body["customerID"], body["businessID"]) == (bodies.CUSTOMER_ID, bodies.BUSINESS_ID)


async def test_staging_and_raw_bodies(thumbtack, bot):
    await thumbtack.lead(staging=True)
    answer = await thumbtack.deliver("POST", "/v1/lead", b"unknown {")
    assert [path for _, path, _ in bot.calls] == ["/staging/v1/lead", "/v1/lead"]
    assert answer.status_code == 202
    assert bot.calls[-1][2] == b"unknown {"


def test_every_scene_is_a_lead_of_its_own():
    leads = [bodies.lead(scene) for scene in bodies.SCENES]
    read = [facts(Kind.LEAD, body)[0] for body in leads]
    assert len({lead.lead_id for lead in read}) == len(leads) == len({lead.request_id for lead in read})
    assert all(lead.extra == {} and lead.created_at and lead.customer and lead.business for lead in read)
    assert bodies.SCENES[0]["request"]["title"] == "Interior Painting"
    assert bodies.lead()["leadID"] != bodies.lead()["leadID"]


async def test_a_lead_without_an_id_does_not_exist(thumbtack):
    await thumbtack.lead(leadID=None)
    assert thumbtack.last_lead_id is None


async def test_the_remote_control_plays(thumbtack, http, bot):
    nothing_yet = await http.post("/control/message")
    assert (nothing_yet.status_code, "no lead" in nothing_yet.text) == (400, True)
    played = (await http.post("/control/lead", json={"customer": {"name": "Ann"}, "self": 1, "staging": True})).json()
    assert played == {"lead_id": thumbtack.last_lead_id, "bot_status": 200, "bot_answer": "{}"}
    await http.post("/control/message", json={"text": "Hi", "lead_id": 5})
    await http.post("/control/price")
    await http.post("/control/review", json={"rating": 3})
    await http.post("/control/review", json={"lead_id": None})
    assert [path for _, path, _ in bot.calls] == [
        *("/staging/v1/lead", "/v1/message", "/v1/lead/update", "/v1/review", "/v1/review")
    ]
    told = [httpx.Response(200, content=body).json() for _, _, body in bot.calls]
    assert told[0]["customer"]["name"] == "Ann"
    assert "staging" not in told[0]
    assert (told[1]["leadID"], told[1]["message"]["text"]) == ("5", "Hi")
    assert told[2]["leadID"] == thumbtack.last_lead_id
    assert (told[3]["review"]["rating"], told[3]["review"]["leadID"]) == ("3", thumbtack.last_lead_id)
    assert "leadID" not in told[4]["review"]


async def test_the_remote_control_tells(http):
    await post(http)
    heard = (await http.get("/control/received")).json()["received"]
    assert [(one["lead_id"], one["text"]) for one in heard] == [("1", "Hello")]
    assert (await http.get("/control/received", params={"lead_id": "2"})).json() == {"received": []}


async def test_the_remote_control_breaks_and_mends(thumbtack, http):
    await http.post("/control/faults", json={"target": "message", "status": 503, "times": 2})
    assert [(await post(http)).status_code for _ in range(3)] == [503, 503, 200]
    await http.post("/control/faults", json={"status": 500, "standing": True})
    assert [(await post(http)).status_code for _ in range(3)] == [500, 500, 500]
    await http.delete("/control/faults")
    assert (await post(http)).status_code == 200
    for wrong in (b"{", b"[]", b'{"status": "bad"}', b'{"status": 99}'):
        assert (await http.post("/control/faults", content=wrong)).status_code == 400


async def test_over_real_sockets_with_a_client_of_its_own(bot):
    async with (
        serving(bot.app) as bot_url,
        ThumbtackStandIn(username="a", password="b", webhook_username="hook", webhook_password="pass") as stand_in,
        client_of(stand_in.app, "http://sandbox") as http,
    ):
        away = await http.post("/control/lead")
        assert (away.status_code, "could not be reached" in away.text) == (502, True)
        stand_in.webhook_url = bot_url
        assert (await stand_in.lead()).status_code == 200
        assert (await stand_in.lead()).status_code == 200
    assert len(bot.calls) == 2
