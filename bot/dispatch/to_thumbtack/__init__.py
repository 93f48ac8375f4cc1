"""What is asked of Thumbtack: replies, targeting, phone numbers, and its leave to do so."""
