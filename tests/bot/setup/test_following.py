"""What setup says is to be done next: what is new, and nothing else."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bot import manifest
from bot.settings import Settings
from bot.setup import env_file, slack_app
from bot.setup.draft import Draft
from bot.setup.following import Situation, steps
from bot.setup.questions import QUESTIONS

BEFORE = (
    "PUBLIC_URL=https://old.example\nSLACK_BOT_TOKEN=xoxb-x\nTHUMBTACK_CLIENT_ID=id\nTHUMBTACK_WEBHOOK_PASSWORD=p\n"
)


def following(text: str, *, whole: bool, **answers: str) -> dict[str, dict[str, str]]:
    """What is to be done, with what is to be copied for it."""
    Path(".env").write_text(text)
    draft = Draft(env_file.read(Path(".env")), {})
    for name, value in answers.items():
        draft.set(name, value)
    return {step.text: dict(step.pairs) for step in steps(Situation(draft=draft, whole=whole, secrets=True))}


def test_one_thing_that_was_changed_is_followed_by_a_restart_alone():
    assert list(following(BEFORE, whole=False, SLACK_RING="U0ANA")) == [
        "Restart `corkboard serve`: it reads .env when it starts."
    ]


def test_a_new_password_is_told_to_thumbtack():
    _, screen = following(BEFORE, whole=False, THUMBTACK_WEBHOOK_PASSWORD="another").items()
    assert screen[1]["Password"] == "another"
    assert screen[1]["Address"] == "https://old.example/v4/webhooks"


def test_another_address_is_told_to_everybody():
    _, moved, screen, redirect = following(BEFORE, whole=False, PUBLIC_URL="https://new.example").items()
    assert "paste what `corkboard manifest` prints" in moved[0]
    assert screen[1]["Address"] == "https://new.example/v4/webhooks"
    assert redirect[1] == {"Redirect URI": "https://new.example/thumbtack/callback"}


def test_every_question_is_of_a_setting_and_stands_in_the_paper():
    fields = Settings.model_fields
    for question in QUESTIONS.values():
        kind = fields[question.name.lower()].annotation
        assert list(question.choices) == ([one.value for one in kind] if question.choices else []), question.name
        assert question.choices or question.empty, question.name
        assert ("SecretStr" in str(kind)) == question.is_secret, question.name
    paper = (Path(__file__).parents[3] / "docs/setup.md").read_text()
    asked = [name for name in QUESTIONS if not name.startswith(("THUMBTACK_LEGACY", "THUMBTACK_CLIENT"))]
    assert [name for name in asked if f"`{name}`" not in paper] == []


def test_set_up_again_everything_is_said_again():
    assert len(following(BEFORE, whole=True)) == 5


def test_with_nothing_there_is_little_to_do():
    assert len(following("", whole=True)) == 2


def test_the_link_brings_the_whole_manifest_along():
    written = manifest.by_http("https://leads.example.com")
    link = urlsplit(slack_app.link_with(written))
    assert (link.hostname, link.path) == ("api.slack.com", "/apps")
    (carried,) = parse_qs(link.query)["manifest_yaml"]
    assert yaml.safe_load(carried) == yaml.safe_load(written)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("there", [True, False])
def test_what_root_writes_belongs_to_whoever_has_the_file_or_the_folder(tmp_path, there):
    os.chown(tmp_path, 12345, 12345)
    if there:
        (tmp_path / ".env").touch()
        os.chown(tmp_path / ".env", 23456, 23456)
    env_file.read(tmp_path / ".env").write("A=1\n")
    assert (tmp_path / ".env").stat().st_uid == (23456 if there else 12345)
