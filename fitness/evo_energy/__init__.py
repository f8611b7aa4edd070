"""Fitness functions of what a network costs to run, counted on the spikes it really fires."""
