"""The Slack app's manifest: accepted by Slack's schema, and exactly what the code needs."""

import ast
import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from bot import settings
from bot.app import create_app
from bot.listeners.commands import COMMAND, VERBS
from sandbox.slack.web_api import METHODS
from sandbox.thumbtack import bodies

ROOT = Path(__file__).parents[1]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
SCOPES = MANIFEST["oauth_config"]["scopes"]
REQUIRED = set(SCOPES["bot"]) - set(SCOPES["bot_optional"])

# What each method and event needs, all of it: private channels are as good as public ones for leads
# (docs.slack.dev/reference/methods and /reference/events; metadata: docs.slack.dev/reference/scopes/metadata.message.read).
HISTORY = {"channels:history", "groups:history"}
NEEDED_BY_METHOD: Mapping[str, set[str]] = {
    "auth.test": set(),
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": HISTORY | {"metadata.message:read"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.open": {"im:write"},
    "conversations.replies": HISTORY | {"metadata.message:read"},
    "reactions.add": {"reactions:write"},
    "reactions.remove": {"reactions:write"},
    "users.info": {"users:read"},
    "users.list": {"users:read"},
    "views.open": set(),
    "users.conversations": {"channels:read", "groups:read"},
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}
USED_WHERE_GRANTED: Mapping[str, set[str]] = {"usergroups.list": {"usergroups:read"}}
"""Methods that the bot can do without: where Slack refuses them, a part of a feature is left out."""

NEEDED_BY_EVENT: Mapping[str, set[str]] = {
    "app_home_opened": set(),
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "app_uninstalled": set(),
    "channel_archive": {"channels:read"},
    "channel_deleted": {"channels:read"},
    "channel_left": {"channels:read"},
    "channel_unarchive": {"channels:read"},
    "group_archive": {"groups:read"},
    "group_deleted": {"groups:read"},
    "group_left": {"groups:read"},
    "group_unarchive": {"groups:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}
FAMILIES = "auth bookmarks chat conversations emoji files reactions team usergroups users views"
METHOD = re.compile(rf"(?:{'|'.join(FAMILIES.split())})(?:\.[a-zA-Z]+)+")


def _refuses_regex(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    """Slack's file says `regex` where JSON Schema says `pattern`."""
    if isinstance(value, str) and not re.search(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern}")


@cache
def validator() -> Any:
    schema = json.loads((ROOT / "tests/schemas/slack_manifest.1.0.0.json").read_text())
    return jsonschema.validators.extend(jsonschema.Draft7Validator, {"regex": _refuses_regex})(schema)


@cache
def called_methods() -> frozenset[str]:
    """Every name of a Web API method that stands in the code as a text of its own."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "bot").rglob("*.py")]
    texts = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return frozenset(text for text in texts if isinstance(text, str) and METHOD.fullmatch(text))


@cache
def listened_events() -> frozenset[str]:
    """The events that the code listens to, as `app.event("…")` names them."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "bot/listeners").rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return frozenset(
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "event" and isinstance(call.args[0], ast.Constant)
    )


def test_slacks_schema_accepts_it():
    assert MANIFEST["_metadata"]["major_version"] == 1  # the version of the schema beside the tests
    assert [error.message for error in validator().iter_errors(MANIFEST)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["display_information", "name"], "x" * 36),
        (["display_information", "background_color"], "brown"),
        (["display_information", "long_description"], "too short"),
        (["features", "slash_commands", 0, "command"], "thumbtack"),
        (["features", "slash_commands", 0, "url"], "corkboard.example.com"),
        (["oauth_config", "scopes", "bot"], "chat:write"),
        (["settings", "event_subscriptions", "bot_events"], ["message.channels", "message.channels"]),
        (["settings", "colour"], "brown"),
    ],
)
def test_slacks_schema_refuses_what_is_wrong(path, value):
    broken = copy.deepcopy(MANIFEST)
    at: Any = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert list(validator().iter_errors(broken))


def test_slack_calls_one_address_that_the_program_answers(sqlite_url):
    told = [
        MANIFEST["features"]["slash_commands"][0]["url"],
        MANIFEST["settings"]["event_subscriptions"]["request_url"],
        MANIFEST["settings"]["interactivity"]["request_url"],
    ]
    assert len(set(told)) == 1
    parts = urlsplit(told[0])
    assert (parts.scheme, parts.hostname) == ("https", "corkboard.example.com")  # docs/install.md says what to replace
    routes = create_app(settings.load(_env_file=None, database_url=sqlite_url)).routes
    assert {route.path: getattr(route, "methods", None) for route in routes}[parts.path] == {"POST"}


def test_the_command_is_ours_and_its_hint_names_every_verb():
    [command] = MANIFEST["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert re.findall(r"[a-z-]+", command["usage_hint"]) == list(VERBS)


def test_every_subscribed_event_is_listened_to_and_the_reverse():
    subscribed = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert set(subscribed) == set(NEEDED_BY_EVENT)
    assert {event.partition(".")[0] for event in subscribed} == listened_events()


def test_the_home_tab_is_off_while_nothing_fills_it():
    home = MANIFEST["features"]["app_home"]["home_tab_enabled"]
    assert home == ("views.publish" in called_methods()) == ("app_home_opened" in listened_events())


def test_every_called_method_is_known_here():
    assert called_methods() == NEEDED_BY_METHOD.keys() | USED_WHERE_GRANTED.keys()
    assert set().union(*USED_WHERE_GRANTED.values()) <= set(SCOPES["bot_optional"])


def test_the_required_scopes_are_exactly_what_the_code_uses():
    by_methods = set().union(*NEEDED_BY_METHOD.values())
    assert by_methods | set().union(*NEEDED_BY_EVENT.values()) | {"commands"} == REQUIRED


def test_optional_scopes_stand_in_both_lists_and_none_stands_twice():
    """A scope in the optional list alone is never asked for (docs.slack.dev/authentication/installing-with-oauth)."""
    assert set(SCOPES["bot_optional"]) < set(SCOPES["bot"])
    assert len(set(SCOPES["bot"])) == len(SCOPES["bot"])
    assert len(set(SCOPES["bot_optional"])) == len(SCOPES["bot_optional"])


def test_our_table_and_the_stand_ins_agree():
    """The stand-in wants any one of a method's scopes, we ask for all of them."""
    for method, scopes in {**NEEDED_BY_METHOD, **USED_WHERE_GRANTED}.items():
        assert not METHODS[method].scopes or set(METHODS[method].scopes) & scopes, method


async def test_the_main_job_works_with_the_required_scopes_alone(place):
    place.slack.api.scopes = REQUIRED
    lead = bodies.lead()
    await place.post("/v1/lead", lead)
    await place.seen(lambda: place.cards)
    said = await place.slack.say("U0ANA", "C0LEADS", "Tomorrow at 9", thread_ts=place.cards[0]["ts"])
    await place.seen(lambda: place.mark(said.ts) == ["white_check_mark"])
    assert place.thumbtack.received(lead["leadID"]) == ["Tomorrow at 9"]
    assert [call for call in place.slack.calls if call.error == "missing_scope"] == []


@pytest.mark.parametrize(
    ("scope", "method"), [("chat:write", "chat.postMessage"), ("reactions:write", "reactions.add")]
)
async def test_without_a_required_scope_slack_refuses(place, scope, method):
    place.slack.api.scopes = REQUIRED - {scope}
    lead = bodies.lead()
    await place.post("/v1/lead", lead)
    if scope == "reactions:write":
        await place.seen(lambda: place.cards)
        await place.slack.say("U0ANA", "C0LEADS", "Tomorrow at 9", thread_ts=place.cards[0]["ts"])
    await place.seen(lambda: any(call.error == "missing_scope" for call in place.slack.calls))
    assert {call.method for call in place.slack.calls if call.error == "missing_scope"} == {method}
    assert len(place.cards) == (scope != "chat:write")
