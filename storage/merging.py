"""One row that is told about several times: what is empty is filled, and what is filled stays."""

from collections.abc import Mapping
from typing import Any

from storage.models import Row

NOTHING: tuple[Any, ...] = (None, "", [])


def fill(row: Row, values: Mapping[str, Any]) -> frozenset[str]:
    """Set those columns of `values` that are empty in `row`; returns which. A flag is filled when it becomes true.

    `extra` takes in at every depth what it lacks, and is never among those returned: people do not see it.
    """
    changes = lacking({name: getattr(row, name) for name in values}, values)
    for name, told in changes.items():
        setattr(row, name, told)
    return frozenset(changes.keys() - {"extra"})


def lacking(row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What `fill` changes of a row that has these columns."""
    changes = {}
    for name, told in values.items():
        held = row[name]
        if name == "extra":
            merged = deepened(held, told)
            if merged != held:  # what is set is looked through for changes, were it the same
                changes[name] = merged
        elif (held is False or held in NOTHING) and told not in NOTHING and told != held:
            changes[name] = told
    return changes


def deepened(held: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """`held` and what only `told` has, at every depth."""
    merged = {**told, **held}
    for name in held.keys() & told.keys():
        if isinstance(held[name], dict) and isinstance(told[name], dict):
            merged[name] = deepened(held[name], told[name])
    return merged
