"""Reads a Dockerfile and a .dockerignore, as far as ours go: what is not understood is refused, not passed over."""

import fnmatch
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

EXPANDED = {"COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
"""Instructions in which variables mean something (https://docs.docker.com/reference/dockerfile/#environment-replacement)."""

KNOWN = EXPANDED | {"ARG", "CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN"}


class NotUnderstood(Exception):  # noqa: N818 -- it reads as the sentence it is
    """A line of the Dockerfile that this reader does not know; the message is the line."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One instruction, its options (`--from=build`) apart from the rest."""

    word: str
    rest: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The rest, in words: as JSON where it is a list."""
        listed: list[str] = json.loads(self.rest) if self.rest.startswith("[") else self.rest.split()
        return listed


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What begins with FROM; the last one is the image."""

    base: str
    name: str | None
    steps: list[Step] = field(default_factory=list)

    def last(self, word: str) -> Step:
        """The instruction that holds: the last of its kind. Raises NotUnderstood where there is none."""
        for step in reversed(self.steps):
            if step.word == word:
                return step
        raise NotUnderstood(f"no {word}")

    def all(self, word: str) -> list[Step]:
        """Each instruction of a kind."""
        return [step for step in self.steps if step.word == word]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets, beside what the base has."""
        return {name: value for step in self.all("ENV") for name, value in _pairs(step.rest)}


def read(text: str) -> list[Stage]:
    """The stages of a Dockerfile; raises NotUnderstood."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for step in _steps(text):
        match step.word:
            case "ARG":
                arguments |= dict(_pairs(step.rest))
            case "FROM":
                base, *named = _expanded(step.rest, arguments).split()
                stages.append(Stage(base=base, name=named[-1] if named else None))
            case _ if stages:
                stages[-1].steps.append(step)
            case _:
                raise NotUnderstood(step.word)
    return stages


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.strip().partition(" ")
        if word not in KNOWN or "<<" in rest:
            raise NotUnderstood(line)
        options = {}
        while option := re.match(r"--([\w-]+)=(\S+)\s+", rest.lstrip()) if word != "RUN" else None:
            options[option[1]] = option[2]
            rest = rest.lstrip()[option.end() :]
        yield Step(word=word, rest=rest.strip(), options=options)


def _pairs(rest: str) -> list[tuple[str, str]]:
    return [(name, value.strip('"')) for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S*)', rest)]


def _expanded(text: str, values: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found[1] or found[2], ""), text)


def ignored(patterns: Sequence[str], path: str) -> bool:
    """Whether a path of the context stays out of the image: the last line that fits it, or a folder above it, decides."""
    above = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 2)]
    out = False
    for pattern in patterns:
        if any(_fits(pattern.removeprefix("!"), one) for one in above):
            out = not pattern.startswith("!")
    return out


def patterns(text: str) -> list[str]:
    """The lines of a .dockerignore that say something."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _fits(pattern: str, path: str) -> bool:
    if pattern.startswith("**/"):
        return any(_fits(pattern[3:], "/".join(path.split("/")[depth:])) for depth in range(path.count("/") + 1))
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(map(fnmatch.fnmatchcase, found, wanted))


def context(folder: Path) -> list[Path]:
    """The files below a folder that a build gets to see."""
    lines = patterns((folder / ".dockerignore").read_text())
    tops = [top for top in folder.iterdir() if not ignored(lines, top.name)]
    files = [file for top in tops for file in ([top] if top.is_file() else sorted(top.rglob("*")))]
    return [file for file in files if file.is_file() and not ignored(lines, file.relative_to(folder).as_posix())]
