"""Comparing fitness functions: a sample of networks, what each score says of them, and the statistics."""
