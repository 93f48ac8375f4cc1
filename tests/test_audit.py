"""The audit of our libraries: what is known fails, and what nobody could look up is never called clean."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def audit() -> ModuleType:
    found = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert found is not None
    assert found.loader is not None
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def known(name: str, *vulnerabilities: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [{"id": one, "fix_versions": ["1.1"]} for one in vulnerabilities]}


def unknown(name: str) -> dict[str, Any]:
    return {"name": name, "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("libraries", "code", "told"),
    [
        ([known("aiohttp"), known("httpx")], 0, "Nothing is known against 2 libraries."),
        ([known("aiohttp", "CVE-2030-1"), known("httpx")], 1, "aiohttp 1.0: CVE-2030-1, mended in 1.1"),
        ([known("aiohttp", "CVE-2030-1"), unknown("httpx")], 1, "aiohttp 1.0: CVE-2030-1, mended in 1.1"),
        (
            [known("aiohttp"), unknown("httpx")],
            3,
            "Not audited: the index knows nothing of 1 libraries, httpx for one.",
        ),
        ([unknown("aiohttp")], 3, "Not audited: the index knows nothing of 1 libraries, aiohttp for one."),
        ([], 3, "Not audited: the index knows nothing of any library."),
    ],
    ids=["clean", "vulnerable", "vulnerable and unknown", "one unknown", "all unknown", "nothing"],
)
def test_what_a_report_means(audit: ModuleType, libraries: list, code: int, told: str):
    found, lines = audit.judged([{"dependencies": libraries}])
    assert (found, lines[0]) == (code, told)


def test_both_files_count_and_a_library_in_both_once(audit: ModuleType):
    reports = [{"dependencies": [known("httpx")]}, {"dependencies": [known("httpx"), known("pytest", "CVE-2030-2")]}]
    assert audit.judged(reports)[0] == 1
    assert audit.judged(reports[:1] * 2) == (0, ["Nothing is known against 1 libraries."])


def pretend(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, stdout: str, code: int) -> None:
    """pip-audit is there and says this."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, stdout=stdout, stderr="")

    monkeypatch.setattr(audit.subprocess, "run", run)
    monkeypatch.setattr(audit, "tool", lambda place: place / "pip-audit")


@pytest.mark.parametrize(
    ("stdout", "arguments", "code"),
    [
        (json.dumps({"dependencies": [known("httpx")]}), [], 0),
        (json.dumps({"dependencies": [known("httpx", "CVE-2030-1")]}), ["--if-reachable"], 1),
        ("", [], 3),
        ("", ["--if-reachable"], 0),
        (json.dumps({"dependencies": [unknown("httpx")]}), ["--if-reachable"], 0),
    ],
    ids=["clean", "vulnerable", "no answer", "no answer in CI", "nobody knows"],
)
def test_how_it_ends(audit: ModuleType, monkeypatch, capsys, stdout: str, arguments: list[str], code: int):
    pretend(audit, monkeypatch, stdout, 1)
    monkeypatch.setattr(sys, "argv", ["audit", *arguments])
    assert audit.main() == code
    told = capsys.readouterr().out
    assert told.startswith("Not audited") is (not stdout or "skip_reason" in stdout)


def test_ci_asks_and_does_not_fail_where_nobody_answers():
    assert "make audit ARGS=--if-reachable" in (ROOT / ".ci" / "run").read_text()
