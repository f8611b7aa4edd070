"""The search space ``mse-released``: the encoding of the released MSE-NAS code, faults included."""
