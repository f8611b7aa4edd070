"""Data sets in files, read in the formats of their publishers."""
