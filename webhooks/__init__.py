"""The Thumbtack side: what Thumbtack tells us, and (in `thumbtack`) what we ask of it."""
