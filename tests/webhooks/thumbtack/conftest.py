"""The sample bodies, by the name of their file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAYLOADS = Path(__file__).parents[2] / "payloads"


@pytest.fixture(scope="session")
def payload() -> Callable[[str], Any]:
    def load(name: str) -> Any:
        return json.loads((PAYLOADS / f"{name}.json").read_text())

    return load
