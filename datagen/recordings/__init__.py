"""Readers of other projects' recordings: the same segments and windows as our own datasets."""
