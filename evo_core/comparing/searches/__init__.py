"""Comparing searches: the same seeds, one thing changed, and what the best of each is worth."""
