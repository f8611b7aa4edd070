"""Sparse evolutionary training: a small example of a Development."""
