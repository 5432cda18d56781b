"""Differentiable faces of optics and sensors (torch)."""
