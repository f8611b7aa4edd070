"""How scores and searches compare."""
