"""Fitness functions of gradients and weights, without training."""
