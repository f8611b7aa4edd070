"""The space ``reference``: fixed networks to train and score beside what a search finds."""
