"""Several scores in one, by the ranks that they give a set of networks."""
