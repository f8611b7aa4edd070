"""Comparing fitness functions: what each score says of a sample of networks, and the statistics."""
