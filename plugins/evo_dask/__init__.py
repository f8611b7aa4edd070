"""Evaluation on a dask cluster."""
