"""Differentiable faces of paths, mounts, views, lenses and sensors (torch): docs/codesign.md."""
