"""Everything a person reads in Slack, as pure functions from rows to messages."""
