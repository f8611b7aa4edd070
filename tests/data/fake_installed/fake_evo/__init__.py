"""Plugins of another author, found through the hand-made dist-info beside this folder."""
