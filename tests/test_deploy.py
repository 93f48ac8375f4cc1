"""The deploy kit holds together: the image, what compose and systemd make of it, https in front, and no secret in the image.

What only a root of its own can show (that the image's steps work, and that the program lives in it) is `deploy/try_image.py`.
"""

import configparser
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from support.papers import commands_of

from bot.cli import main as cli
from bot.cli import serve
from deploy import dockerfile

ROOT = Path(__file__).parents[1]
FOLDERS = ("bot", "webhooks", "storage", "sandbox")

PAPER = (ROOT / "docs/deploying.md").read_text()
STAGES = dockerfile.read((ROOT / "Dockerfile").read_text())
IMAGE = STAGES[-1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
CADDYFILE = (ROOT / "deploy/Caddyfile").read_text()
UNITS = sorted((ROOT / "deploy").glob("corkboard*.*"))

GRACE = 45
"""Seconds that a process gets before it is killed, as docs/operating.md asks."""


def told(word: str) -> list[str]:
    return IMAGE.last(word).words


# The image


def test_the_image_runs_without_root_by_a_number_that_stays():
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", *told("USER"))
    assert told("STOPSIGNAL") == ["SIGTERM"]


def test_database_and_key_are_on_the_volume_by_an_absolute_path():
    (volume,) = told("VOLUME")
    assert told("WORKDIR") == [volume]
    assert IMAGE.environment["DATABASE_URL"] == f"sqlite+aiosqlite:///{volume}/corkboard.db"


def test_the_image_serves_where_the_check_asks():
    entry, *command = [*told("ENTRYPOINT"), *told("CMD")]
    assert entry == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    name, *options = command
    with commands_of(cli)[name].make_context(name, options) as context:
        assert context.params == {"host": "0.0.0.0", "port": 8000, "workers": 1}  # noqa: S104 -- within a container
    assert told("EXPOSE") == ["8000"]


def test_what_is_installed_was_pinned_and_nothing_is_built_or_installed_in_the_last_stage():
    runs = [step.rest for stage in STAGES[:-1] for step in stage.all("RUN")]
    (libraries,) = [run for run in runs if "requirements.txt" in run]
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(libraries.split())
    assert not [step.rest for step in IMAGE.all("RUN") if re.search(r"\b(pip|apt-get|curl|wget)\b", step.rest)]
    assert {stage.base for stage in STAGES} == {STAGES[0].base}
    version = re.fullmatch(r"python:3\.(\d+)-slim-\w+", STAGES[0].base)
    assert version, "the base names a version of Python and of Debian, and nothing that moves"
    assert int(version[1]) >= 11


def test_every_package_is_in_the_image_and_nothing_else():
    copied = [word for step in STAGES[0].all("COPY") for word in step.words[:-1]]
    assert set(copied) == {*FOLDERS, "LICENSE", "README.md", "manifest.yml", "pyproject.toml", "requirements.txt"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A working copy as people have them: with their secrets, their data, and what tools left there."""
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    files = [
        ".env",
        "corkboard.db",
        "corkboard.db-wal",
        "corkboard.db.before-0007",
        "corkboard.key",
        ".git/config",
        "notes",
    ]
    files += ["bot/.env", "bot/.env.local", "bot/corkboard.db", "bot/a/corkboard.key", "bot/a/corkboard.key.replaced-1"]
    files += ["bot/__pycache__/cli.cpython-313.pyc", "backups/corkboard-20260901-030000.db", "tests/test_x.py"]
    for name in (*files, "bot/cli.py", "sandbox/pages/static/app.js", "manifest.yml", "requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_no_secret_and_no_data_gets_into_the_image(clone):
    seen = {file.relative_to(clone).as_posix() for file in dockerfile.context(clone)}
    assert seen == {"bot/cli.py", "sandbox/pages/static/app.js", "manifest.yml", "requirements.txt"}


def test_every_committed_file_of_the_packages_gets_into_the_image():
    command = ["git", "ls-files", "-z", "--", *FOLDERS]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S603 -- constant
    lines = dockerfile.patterns((ROOT / ".dockerignore").read_text())
    assert [name for name in listed.split("\0") if name and dockerfile.ignored(lines, name)] == []


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server whose `/readyz` answers so; its port."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def healthy(port: int) -> bool:
    command = json.loads(IMAGE.last("HEALTHCHECK").rest.removeprefix("CMD ").replace("8000", str(port)))
    environment = os.environ | {"http_proxy": "http://127.0.0.1:9"}
    checked = subprocess.run([sys.executable, *command[1:]], check=False, capture_output=True, env=environment)  # noqa: S603 -- ours
    return checked.returncode == 0


def test_the_image_is_healthy_where_a_webhook_can_be_stored():
    with answering(200) as port:
        assert healthy(port)
    assert not healthy(port)  # nobody there any more
    with answering(503) as port:
        assert not healthy(port)


def test_a_dockerfile_that_is_not_understood_is_not_tried():
    for line in ("ADD https://example.com/x /x", "RUN <<END", "SHELL ['/bin/bash']", "USER 1"):
        with pytest.raises(dockerfile.NotUnderstood):
            dockerfile.read(f"{line}\nFROM scratch")


# Compose


def test_compose_is_valid():
    schema = json.loads((ROOT / "tests/schemas/compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_the_bot_has_no_more_rights_than_it_needs():
    bot = SERVICES["bot"]
    assert (bot["read_only"], bot["cap_drop"], bot["tmpfs"]) == (True, ["ALL"], ["/tmp"])  # noqa: S108 -- the container's own
    assert all("no-new-privileges:true" in service["security_opt"] for service in SERVICES.values())
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"caddy"}
    assert COMPOSE["networks"][SERVICES["postgres"]["networks"][0]] == {"internal": True}
    assert not {"privileged", "network_mode", "pid", "user"} & {key for service in SERVICES.values() for key in service}


def test_what_is_kept_is_on_volumes_that_are_declared():
    kept = {mount.partition(":")[0] for service in SERVICES.values() for mount in service["volumes"] if mount[0] != "."}
    assert kept == set(COMPOSE["volumes"])
    assert SERVICES["bot"]["volumes"] == [f"data:{told('VOLUME')[0]}"]
    assert IMAGE.environment["DATABASE_URL"] in SERVICES["bot"]["environment"]["DATABASE_URL"]


def test_everybody_gets_the_time_to_finish():
    assert SERVICES["bot"]["stop_grace_period"] == f"{GRACE}s"
    assert f"give it {GRACE} before" in (ROOT / "docs/operating.md").read_text()


def test_postgresql_is_there_only_when_asked_for_and_gets_its_own_password_alone():
    postgres = SERVICES["postgres"]
    assert postgres["profiles"] == ["postgres"]
    assert SERVICES["bot"]["depends_on"]["postgres"] == {"condition": "service_healthy", "required": False}
    assert "env_file" not in postgres
    assert set(postgres["environment"]) == {"POSTGRES_USER", "POSTGRES_PASSWORD"}


def test_every_service_of_the_commands_exists():
    named = re.findall(r"docker compose (?:exec|run|stop|logs)(?: --entrypoint \w+| -\S+)* (\w+)", PAPER)
    assert {"bot", "postgres"} <= set(named) <= set(SERVICES)


# https


def test_caddy_asks_for_one_name_and_passes_on_to_where_corkboard_listens():
    asked = set(re.findall(r"\{\$(\w+)", CADDYFILE))
    assert asked == set(SERVICES["caddy"]["environment"]) == {"DOMAIN", "UPSTREAM"}
    port = next(parameter.default for parameter in serve.params if parameter.name == "port")
    assert f"{{$UPSTREAM:127.0.0.1:{port}}}" in CADDYFILE
    assert SERVICES["caddy"]["environment"]["UPSTREAM"] == f"bot:{told('EXPOSE')[0]}"
    assert re.findall(r"^\s*log\b", CADDYFILE, re.MULTILINE) == []  # it would hold the codes of consent


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed")
def test_caddy_understands_its_file(tmp_path):
    command = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/Caddyfile")]
    environment = os.environ | {"DOMAIN": "corkboard.example.com", "HOME": str(tmp_path)}
    adapted = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603 -- constant
    (server,) = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    assert '"host": ["corkboard.example.com"]' in json.dumps(server)


# systemd


def unit(name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep upper case
    parser.read(ROOT / "deploy" / name)
    return dict(parser["Service"])


@pytest.mark.parametrize("name", ["corkboard.service", "corkboard-backup.service"])
def test_a_unit_runs_a_command_that_exists_in_its_own_folder_alone(name):
    service = unit(name)
    program, word, *arguments = service["ExecStart"].split()
    assert program == "/opt/corkboard/current/.venv/bin/corkboard"
    commands_of(cli)[word].make_context(word, arguments)
    folder = service["StateDirectory"].split()[0]
    assert service["WorkingDirectory"] == f"/var/lib/{folder}"
    assert (service["User"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("corkboard", "strict", "yes")


def test_the_service_is_started_again_for_ever_and_ends_in_peace():
    service = unit("corkboard.service")
    assert (service["Restart"], service["TimeoutStopSec"]) == ("always", str(GRACE))
    assert "StartLimitIntervalSec=0" in (ROOT / "deploy/corkboard.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_little_that_the_service_may_do():
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--threshold=15",
        str(ROOT / "deploy/corkboard.service"),
    ]
    looked = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 -- constant
    if "unrecognized option" in looked.stderr:
        pytest.skip("systemd is older than 250")
    assert (looked.returncode, looked.stderr) == (0, "")


# The paper


def test_the_paper_tells_of_every_file_of_the_kit():
    files = [
        "Dockerfile",
        "compose.yml",
        "deploy/Caddyfile",
        "deploy/try_image.py",
        *(f"deploy/{path.name}" for path in UNITS),
    ]
    assert [file for file in files if file not in PAPER] == []


def test_no_command_of_the_paper_empties_a_copy_or_a_database_before_there_is_another():
    section = PAPER.partition("### Backup and restore with Compose\n")[2].partition("\n### ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    for backup in (blocks[0], blocks[2]):
        written = re.findall(r" > (\S+)(?: && mv (\S+) )?", backup)
        assert written
        assert {*written} == {("new.part", "new.part")}
    assert all(line.endswith(("&&", "\\")) for line in blocks[3].splitlines()[:-1])
    assert "drop" not in blocks[3]
