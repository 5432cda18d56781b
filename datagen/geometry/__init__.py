"""Projection, exact flow, sub-frame times."""
