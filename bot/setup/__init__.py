"""`corkboard setup`: asks for each value, tests it at once, and writes .env whole or not at all."""
