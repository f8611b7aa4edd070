"""Data sets whose files a user keeps: read as their publishers made them."""
