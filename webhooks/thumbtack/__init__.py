"""Everything that speaks Thumbtack's language; sealed, it imports nothing of the rest of the program."""
