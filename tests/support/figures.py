"""What `/metrics` says, read as Prometheus reads it."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Figures:
    """The figures of one answer."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float | None:
        """The one figure of this name (without corkboard_) with just these labels; None where there is none."""
        found = [one for one in self.samples if one.name == f"corkboard_{name}" and one.labels == labels]
        assert len(found) < 2, found
        return found[0].value if found else None

    def of(self, name: str) -> dict[str, float]:
        """Every figure above 0 of a name that has one label, by that label's value."""
        found = [one for one in self.samples if one.name == f"corkboard_{name}" and one.value]
        return {next(iter(one.labels.values())): one.value for one in found}


async def scraped(http: httpx.AsyncClient) -> Figures:
    """What a caller on the bot's machine reads now."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return Figures(answer.text)
