"""Fitness by training: how well a network learns in a short time."""
