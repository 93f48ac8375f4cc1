"""Libraries that are loaded once something of them is used: a start takes no time, and no memory, for what may never be."""

import importlib.util
import sys
from types import ModuleType


def lazily(name: str) -> ModuleType:
    """A library that was not loaded yet; as Python's documentation has it (importlib, "Implementing lazy imports")."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
