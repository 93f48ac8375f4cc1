"""The import contracts name every module of `webhooks`: one that is forgotten there is guarded by nothing."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def contract(name):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return next(one for one in settings["tool"]["importlinter"]["contracts"] if one["name"].startswith(name))


def modules():
    return {f"webhooks.{path.stem}" for path in (ROOT / "webhooks").glob("*.py") if path.stem != "__init__"}


def test_the_client_is_sealed_against_the_rest_of_webhooks():
    assert modules() <= {*contract("the Thumbtack client is sealed")["forbidden_modules"]}


def test_the_rest_of_webhooks_does_not_speak_http():
    assert modules() <= {*contract("httpx only in the Thumbtack client")["source_modules"]}
