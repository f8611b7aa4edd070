"""Fitness functions of who fires with whom: kernels over samples, rates, distinct patterns."""
