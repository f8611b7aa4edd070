"""The multi-scale search space ``mse``: five circuit motifs, their operations and connections."""
