"""The only place that talks out: claims what waits in the outbox, says it, and settles what came of it."""
