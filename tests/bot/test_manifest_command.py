"""`corkboard manifest`: what it prints is a manifest that Slack takes, with one address in it or none."""

import re
import tomllib
from importlib import import_module

import pytest
import yaml
from click.testing import CliRunner

from bot import cli, manifest

ours = import_module("test_manifest")


def printed(*arguments: str, code: int = 0, **settings: str) -> str:
    ran = CliRunner().invoke(cli.main, ["manifest", *arguments], env=settings)
    assert ran.exit_code == code, ran.output
    return ran.output


def checked(text: str) -> dict:
    read = yaml.safe_load(text)
    assert [error.message for error in ours.validator().iter_errors(read)] == []
    assert "corkboard.example.com" not in text
    return dict(read)


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["--url", "https://leads.example.org"], {}),
        (["--url", "https://leads.example.org/"], {"PUBLIC_URL": "https://elsewhere.example.org"}),
        ([], {"PUBLIC_URL": "https://leads.example.org/"}),
    ],
)
def test_with_an_address_it_is_manifest_yml_with_it_three_times(arguments, settings):
    read = checked(printed(*arguments, **settings))
    wanted = yaml.safe_dump(ours.MANIFEST).replace("https://corkboard.example.com", "https://leads.example.org")
    assert read == yaml.safe_load(wanted)


def test_for_socket_mode_it_is_the_same_without_addresses():
    text = printed("--socket", PUBLIC_URL="https://leads.example.org")
    read = checked(text)
    assert re.findall(r"https?://", text) == []
    assert read["settings"].pop("socket_mode_enabled") is True
    wanted = yaml.safe_load((ours.ROOT / "manifest.yml").read_text())
    wanted["settings"].pop("socket_mode_enabled")
    for holder in (wanted["settings"]["event_subscriptions"], wanted["settings"]["interactivity"]):
        del holder["request_url"]
    del wanted["features"]["slash_commands"][0]["url"]
    assert read == wanted


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Say --url"),
        (["--socket", "--url", "https://leads.example.org"], "leave out --url"),
        (["--url", "http://leads.example.org"], "no address that Slack can reach"),
        (["--url", "leads.example.org"], "no address that Slack can reach"),
        (["--url", "https://leads.example.org/\nsettings: {}"], "no address that Slack can reach"),
        (["--url", "https://leads.example.org #"], "no address that Slack can reach"),
    ],
)
def test_what_it_cannot_do_it_says(arguments, says):
    assert says in printed(*arguments, code=2)


def test_where_the_file_is_missing_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(manifest, "PLACES", (tmp_path / "manifest.yml",))
    assert "install Corkboard again" in printed("--socket", code=2)


def test_an_installed_package_brings_the_file():
    files = tomllib.loads((ours.ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    checkout, installed = manifest.PLACES
    assert checkout == ours.ROOT / manifest.NAME
    assert installed.parts[-3:] == ("share", "corkboard", manifest.NAME)
    assert files == {"share/corkboard": [manifest.NAME]}
