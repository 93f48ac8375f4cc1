"""`corkboard test-lead`: Thumbtack's own test path, told step by step; nothing is claimed that was not seen."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result
from support.office import PRO_API, Office, office

from bot import cli
from sandbox.faults import Fault
from sandbox.thumbtack import bodies

STAGING = {"THUMBTACK_ENVIRONMENT": "staging"}
SUCCESS = Fault(status=200, body={"status": "success"})


@pytest.fixture
async def staging_of_each(database_url: str) -> AsyncIterator[Office]:
    """An office on each kind of database, whose Thumbtack is the test environment."""
    async with office(database_url, thumbtack_environment="staging") as running:
        running.thumbtack.world._named = set()  # else it takes messages to any lead, as a test client does
        yield running


@pytest.fixture
async def staging(sqlite_url: str) -> AsyncIterator[Office]:
    """The same on one, for what does not depend on the kind."""
    async with office(sqlite_url, thumbtack_environment="staging") as running:
        running.thumbtack.world._named = set()
        yield running


async def tried(place: Office, *arguments: str, **settings: str) -> Result:
    """Run the command beside the office, in a thread with a loop of its own."""
    known = {
        name.upper(): str(value)
        for name, value in place.knobs.items()
        if name.startswith(("thumbtack_", "database_", "encryption_"))
    }
    env: dict[str, Any] = known | settings
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        return await asyncio.to_thread(CliRunner().invoke, cli.main, ("test-lead", *arguments), env=env)
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


async def test_without_a_connection_the_message_goes_by_v1(staging: Office):
    result = await tried(staging)
    assert result.exit_code == 0, result.output
    assert "Thumbtack makes a business up" in result.output
    assert "/v1/test/create-lead (Basic) {}" in result.output
    assert "(Basic)" in result.output
    assert "(Bearer)" not in result.output
    assert "Thumbtack has the message" in result.output
    assert "The test path holds" in result.output


async def test_the_connected_business_writes_by_v2(staging_of_each: Office):
    await staging_of_each.connect("legacy")
    result = await tried(staging_of_each)
    assert result.exit_code == 0, result.output
    assert "is connected: messages go by v2" in result.output
    assert "The token is accepted, and is for the business that was connected" in result.output
    assert "/v2/business/" in result.output
    assert "The test path holds" in result.output


async def test_a_business_that_is_not_connected_is_said_to_be_so(staging: Office):
    await staging.connect("legacy")
    result = await tried(staging, "286845156044809661")
    assert result.exit_code == 0, result.output
    assert "Business 286845156044809661 is not connected with the Pro API: messages go by v1" in result.output
    assert "Also connected: " in result.output
    assert '{"businessID": "286845156044809661"}' in result.output


async def test_a_test_clients_dummy_answers_are_recognised(staging: Office):
    await staging.connect("legacy")
    staging.thumbtack.faults.stand("message", SUCCESS)
    result = await tried(staging)
    assert result.exit_code == 0
    assert "A dummy answer: Thumbtack says so of any lead" in result.output
    assert "Test clients get it" in result.output
    assert "nothing was delivered to anybody" in result.output
    assert "Thumbtack has the message" not in result.output


async def test_the_sample_of_the_documentation_is_recognised(staging: Office):
    lead = bodies.lead(leadID="380497493950742534")
    staging.thumbtack.faults.stand("create-lead", Fault(status=200, body=lead))
    result = await tried(staging)
    assert "This is the sample of Thumbtack's documentation: no lead was made" in result.output
    assert result.exit_code == 1  # nobody can write to that lead


async def test_a_lead_of_another_business_is_recognised(staging: Office):
    staging.thumbtack.faults.stand("create-lead", Fault(status=200, body=bodies.lead()))
    result = await tried(staging, "286845156044809661")
    assert "It is for another business than 286845156044809661" in result.output


async def test_a_lead_that_names_no_business_ends_it(staging: Office):
    staging.thumbtack.faults.stand("create-lead", Fault(status=200, body={"leadID": "380497493950742599"}))
    result = await tried(staging)
    assert result.exit_code == 1
    assert "lead 380497493950742599, no business" in result.output
    assert "nobody can be written to" in result.output


async def test_a_token_for_another_business_is_recognised(staging: Office):
    await staging.connect("legacy")
    told = {"business_pk": "9", "client_id": "test", "scope": ["messages"], "business_name": "Another"}
    staging.thumbtack.faults.stand("info", Fault(status=200, body=told))
    result = await tried(staging)
    assert "business 9 (Another), scopes: messages" in result.output
    assert "The token is accepted, but the business is not" in result.output


async def test_what_cannot_be_told_is_not_claimed(staging: Office):
    staging.thumbtack.faults.add("message", Fault(status=503))
    result = await tried(staging)
    assert result.exit_code == 0
    assert "This does not tell whether Thumbtack looks at the lead" in result.output
    assert "A dummy answer cannot be ruled out" in result.output
    assert "answers do not tell everything" in result.output


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("create-lead", "No lead was made"),
        ("info", "The connection cannot be used"),
        ("message", "The message did not go out"),
    ],
)
async def test_a_step_that_fails_ends_it_with_1(staging: Office, target: str, shown: str):
    await staging.connect("legacy")
    problem = {"title": "Not for you.", "status": 403, "traceID": "feca66787a0a9ee8"}
    staging.thumbtack.faults.stand(target, Fault(status=403, body=problem))
    result = await tried(staging)
    assert result.exit_code == 1
    assert shown in result.output
    assert "feca66787a0a9ee8" in result.output
    assert "It did not hold" in result.output


async def test_wrong_credentials_are_said(staging: Office):
    result = await tried(staging, THUMBTACK_LEGACY_PASSWORD="wrong")
    assert result.exit_code == 1
    assert "No lead was made" in result.output
    assert "wrong" not in result.output


async def test_it_needs_the_test_environment_credentials_and_an_id(staging: Office):
    for settings, arguments, sentence in (
        ({"THUMBTACK_ENVIRONMENT": "production"}, (), "set THUMBTACK_ENVIRONMENT=staging"),
        ({"THUMBTACK_LEGACY_PASSWORD": ""}, (), "set THUMBTACK_LEGACY_USERNAME and"),
        ({}, ("my-business",), "BUSINESS_ID is the number"),
    ):
        result = await tried(staging, *arguments, **settings)
        assert result.exit_code == 2, result.output
        assert sentence in result.output.replace("\n", " ")
    assert staging.thumbtack.last_lead_id is None


async def test_without_a_database_it_works_all_the_same(staging: Office, tmp_path):
    result = await tried(staging, DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/none.db")
    assert result.exit_code == 0
    assert not (tmp_path / "none.db").exists()


async def test_a_database_that_does_not_answer_is_said(staging: Office):
    result = await tried(staging, DATABASE_URL="postgresql+asyncpg://127.0.0.1:9/corkboard")
    assert result.exit_code == 2
    assert "The database does not do as asked" in result.output


async def test_the_secrets_are_not_shown(staging: Office):
    await staging.connect("legacy")
    output = (await tried(staging)).output
    assert PRO_API[1] not in output
    assert "Bearer " not in output
