"""Versions of the packages that a dataset's bytes depend on."""

from __future__ import annotations

from importlib.metadata import version

PACKAGES = ("neuromorphic-datagen", "numpy", "numba", "embreex", "usd-core", "h5py")


def versions() -> dict[str, str]:
    """The installed version of each of `PACKAGES`."""
    return {name: version(name) for name in PACKAGES}
