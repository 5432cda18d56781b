"""How kernels are compiled: machine code kept on disk, no interpreter lock, bits that do not depend
on the vector width.

Nothing may be reassociated or fused (no `fastmath`), so a loop gives the same bits whether it runs
on one lane or sixteen. Division follows IEEE 754 (x / 0 is infinite or NaN) instead of raising as
Python does: a test inside a loop would keep it from being vectorised.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")
"""A loop over many things that makes its own arrays."""
inner = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
"""A loop over many things that is given all arrays. References to them are not counted, which would
otherwise take most of the time where arrays are passed on for every pixel."""
inlined = njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)
"""A small function of a few numbers, to be part of the loop that calls it."""
