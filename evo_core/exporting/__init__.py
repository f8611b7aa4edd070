"""Networks in forms that other programs read: a Python file for torch, JSON."""
