"""Rasterised visibility, decoupled shading and cached shadows: how the embedded renderer is fast."""
