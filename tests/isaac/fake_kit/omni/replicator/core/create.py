"""`rep.create`."""

from __future__ import annotations

from fake_engine import ENGINE, Product


def render_product(camera: str, resolution: tuple[int, int], force_new: bool = False) -> Product:
    return Product(ENGINE, camera, tuple(resolution))
