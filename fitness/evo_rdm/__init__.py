"""The fitness ``rdm``: how differently a network responds to different inputs, without training."""
