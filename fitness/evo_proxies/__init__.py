"""Fitness functions that only count."""
