"""Synthetic datasets for neuromorphic vision: render, sense, package, read, train."""
