"""What varies of a stage: drawn from one generator, before the first frame."""

from __future__ import annotations

from typing import Any


def variations(found: list[Any], wish: dict[str, Any], rng: Any) -> list[tuple[Any, str, Any]]:
    """New values of a stage's attributes: (prim, attribute, value).

    Args:
        found: (kind, prim, attribute, value) with kind `light`, `texture` or `object`.
        wish: `light` (lowest and highest factor), `shift` (largest of x and y [m]) and `textures`
            (whether pictures change places).
        rng: a numpy generator; all is drawn from it in the order of `found`.
    """
    out = []
    pictures = [value for kind, _, _, value in found if kind == "texture"]
    dealt = iter(rng.permutation(len(pictures)).tolist())
    for kind, prim, name, value in found:
        if kind == "light":
            out.append((prim, name, float(value) * float(rng.uniform(*wish["light"]))))
        elif kind == "texture" and wish["textures"]:
            out.append((prim, name, pictures[next(dealt)]))
        elif kind == "object":
            dx, dy = rng.uniform(-wish["shift"], wish["shift"], 2).tolist()
            out.append((prim, name, type(value)(value[0] + dx, value[1] + dy, value[2])))
    return out
