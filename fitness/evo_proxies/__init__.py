"""Training-free fitness functions beside RDM; for now the two that only count."""
