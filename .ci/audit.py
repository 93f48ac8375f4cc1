"""Asks whether a pinned library has a known vulnerability, by pip-audit, and says plainly when nobody could be asked.

pip-audit itself says "No known vulnerabilities found" of libraries that it could not look up. That is not taken for an
answer here. It lives in an environment of its own: its libraries are not ours.
"""

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PINNED = ("requirements.txt", "requirements-dev.txt")
PATIENCE = 120.0
"""Seconds for each step; an index that is there answers in a few."""

CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 3


class NotAsked(Exception):  # noqa: N818 -- it reads as the sentence it is
    """There was nobody to ask; the message says who did not answer."""


def judged(reports: Iterable[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """The exit code and what to tell, from pip-audit's reports (its format `json`)."""
    libraries = [library for report in reports for library in report.get("dependencies", [])]
    found = sorted(
        {
            f"{library['name']} {library['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'nothing yet'}"
            for library in libraries
            for one in library.get("vulns", [])
        }
    )
    skipped = sorted({library["name"] for library in libraries if "skip_reason" in library})
    if found:
        return VULNERABLE, [
            *found,
            "Pin what mends it (make requirements), or write down in SECURITY.md why it does no harm.",
        ]
    if skipped or not libraries:
        some = f"{len(skipped)} libraries, {skipped[0]} for one" if skipped else "any library"
        return NOT_ASKED, [f"Not audited: the index knows nothing of {some}."]
    return CLEAN, [f"Nothing is known against {len({library['name'] for library in libraries})} libraries."]


def report(tool: Path, pinned: Path) -> dict[str, Any]:
    """What pip-audit says of a file of pinned libraries; raises NotAsked."""
    command: list[str | Path] = [
        tool,
        "--disable-pip",
        "--require-hashes",
        "-r",
        pinned,
        "-f",
        "json",
        "--progress-spinner",
        "off",
    ]
    told = _run(command, why="The index of vulnerabilities")
    try:
        found: dict[str, Any] = json.loads(told.stdout)
    except ValueError:  # it ends with 1 for a vulnerability and for every mistake, and only the first is JSON
        raise NotAsked("The index of vulnerabilities cannot be reached.") from None
    return found


def tool(place: Path) -> Path:
    """pip-audit in an environment of its own; raises NotAsked where it cannot be had."""
    found = place / "bin" / "pip-audit"
    if not found.exists():
        venv.create(place, with_pip=True, clear=True)
        wanted: list[str | Path] = [
            place / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--retries",
            "0",
            "--timeout",
            "10",
            "pip-audit",
        ]
        if _run(wanted, why="The package index").returncode:
            raise NotAsked("pip-audit cannot be had: the package index cannot be reached.")
    return found


def _run(command: Sequence[str | Path], *, why: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise NotAsked(f"{why} does not answer.") from None


def main() -> int:
    """0: nothing is known against any library; 1: something is; 3: nobody could be asked (0 with --if-reachable)."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--if-reachable", action="store_true", help="do not fail where nobody can be asked")
    asked = parser.parse_args()
    try:
        audit = tool(ROOT / ".venv" / "audit")
        code, lines = judged([report(audit, ROOT / name) for name in PINNED])
    except NotAsked as why:
        code, lines = NOT_ASKED, [f"Not audited. {why}"]
    for line in lines:
        print(line)
    return CLEAN if code == NOT_ASKED and asked.if_reachable else code


if __name__ == "__main__":
    sys.exit(main())
