"""What is said to Slack, a function for each kind of outbox entry."""
