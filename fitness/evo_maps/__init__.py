"""Fitness functions of the maps inside a network that is shown noise."""
