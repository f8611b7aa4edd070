"""Comparing fitness functions: a sample of networks, the statistics over it, figures and a page."""
