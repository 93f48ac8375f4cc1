"""A file of answers, for machines without a person: lines like .env's, in which ${NAME} is taken from the environment."""

import difflib
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from bot.setup.draft import NAMES

REFERENCE = re.compile(r"\$\{([^}]*)\}")


class WrongAnswers(Exception):  # noqa: N818 -- it reads as the sentence it is
    """The file cannot be used; the message has a line for each mistake, none of which holds a value."""


def read(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The answers by the settings' names; empty ones too. Raises WrongAnswers."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongAnswers(f"{path} cannot be read ({type(error).__name__}): it must be text in UTF-8.") from None
    found: dict[str, str] = {}
    wrong = []
    for binding in parse_stream(StringIO(text)):
        name = (binding.key or "").upper()
        mistake = _mistake(binding, name, found, environ)
        if mistake is not None:
            wrong.append(f"  line {_line(binding)}: {mistake}")
        elif name:
            found[name] = REFERENCE.sub(lambda reference: environ[reference[1]], binding.value or "").strip()
    if wrong:
        raise WrongAnswers("\n".join((f"{path.name} cannot be used:", *wrong)))
    return found


def _mistake(binding: Binding, name: str, found: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    if binding.error or (name and binding.value is None):
        return "it is not like NAME=value"
    if not name:
        return None
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        return f"there is no setting {name}" + (f"; is it {near[0]}?" if near else "")
    if name in found:
        return f"{name} stands there twice"
    missing = [one for one in REFERENCE.findall(binding.value or "") if not environ.get(one)]
    return f"the environment has no {', '.join(missing)}" if missing else None


def _line(binding: Binding) -> int:
    """Where it begins; the parser counts blank lines before it too."""
    string = binding.original.string
    return binding.original.line + string[: len(string) - len(string.lstrip())].count("\n")
