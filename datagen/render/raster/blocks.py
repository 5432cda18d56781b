"""Shading points as columns, so that the loops over them are vectorised.

A block is a flat float32 array of columns with BLOCK numbers each: column c of point i is at
c * BLOCK + i. All of it stays in the processor's first cache. Vectors and colours have three
columns, one after another.
"""

from __future__ import annotations

BLOCK = 256
NORMAL, VIEW, PLACE, BASE, EMISSION, F0 = range(0, 18, 3)
"""World frame; BASE becomes the diffuse part of the base colour (`lighting.reflect`)."""
ROUGHNESS, METALLIC, ALPHA = range(18, 21)
COLUMNS = 21
