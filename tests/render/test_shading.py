"""What the pictures show: texture filtering, both sides, colours, soft shadows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from contract.scenes import (
    CAMERA,
    box,
    looking,
    matte,
    place,
    quad,
    rotation,
    scene,
    sky,
    sphere,
    sun,
    views_of,
)
from numpy.typing import NDArray

from datagen.render.embedded import EmbeddedRenderer
from datagen.render.tracer import Tracer
from datagen.scenes.model import Material, Scene, Texture, TextureRef

DOWN = looking((0.0, 0.0, 4.0), (0.0, 0.0, 0.0))
CENTRE = (16, 20)


def picture(
    seen: Scene, pose: NDArray[np.float64] = DOWN, *, samples: int = 1
) -> NDArray[np.float32]:
    return EmbeddedRenderer(seen, CAMERA, samples=samples).radiance(views_of(seen, pose))[0]


def test_grazing_texture_is_filtered_over_its_footprint() -> None:
    """Show with one sample per pixel nearly what 64 samples show on a floor seen aslant."""
    squares = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((8, 8)))
    pixels = np.repeat((255 * squares)[..., None], 4, axis=2).astype(np.uint8)
    floor = Texture(name="squares", pixels=pixels, srgb=True, wrap_s="repeat", wrap_t="repeat")
    ref = TextureRef(texture=0, channel="rgb", st_transform=(8.0, 0.0, 0.0, 8.0, 0.0, 0.0))
    seen = scene(
        (quad(30.0, 30.0), place()),
        materials=(matte(0.5, base_color_texture=ref),),
        textures=(floor,),
        lights=(sky(),),
    )
    pose = looking((0.0, -14.0, 1.2), (0.0, 0.0, 0.0))
    coarse, fine = picture(seen, pose), picture(seen, pose, samples=64)
    below_horizon = slice(16, None)
    assert np.abs(coarse - fine)[below_horizon].mean() < 0.03


def test_outlines_are_drawn_with_64_samples() -> None:
    """Mix two surfaces in a box pixel by how many of 64 samples see each, 16 having told of both."""
    turned = place(0.013, 0.007, 1.0, linear=rotation(2, 0.3))
    floor, tile = (quad(9.0, 9.0), place()), (quad(1.0, 1.0, material=1), turned)
    seen = scene(floor, tile, materials=(matte(0.2), matte(0.8)), lights=(sky(),))
    ours, fine = picture(seen)[..., 0], picture(seen, samples=64)[..., 0]
    sixteen = picture(seen, samples=16)[..., 0]
    mixed = (sixteen > sixteen.min() * 1.01) & (sixteen < sixteen.max() * 0.99)
    assert mixed.sum() > 20
    np.testing.assert_allclose(sixteen[mixed], fine[mixed], rtol=1e-5)
    assert np.abs(ours - fine)[mixed].max() > 0.01


def test_both_sides_are_lit_alike() -> None:
    """Turn the normals round where a surface is seen from behind."""
    front = scene((quad(), place()), lights=(sun(),))
    behind = scene((quad(), place(linear=rotation(0, np.pi))), lights=(sun(),))
    np.testing.assert_allclose(picture(front)[CENTRE], picture(behind)[CENTRE], rtol=1e-6)
    assert picture(front)[CENTRE].min() > 0.1


def test_light_on_the_far_side_does_not_shine_through() -> None:
    """Leave the shaded side of a sheet dark."""
    seen = scene((quad(), place()), lights=(sun(direction=(0.0, 0.0, 1.0)),))
    assert picture(seen)[CENTRE].max() == 0.0


def test_emission_adds_to_reflection() -> None:
    """Glow in the dark with the emission alone."""
    glow = matte(0.5, emission=(0.1, 0.2, 0.3))
    np.testing.assert_allclose(
        picture(scene((quad(), place()), materials=(glow,)))[CENTRE], (0.1, 0.2, 0.3), rtol=1e-6
    )


def test_display_color_tints_where_the_material_says_so() -> None:
    """Multiply the base colour by the corners' colour, and only on request."""
    tinted = dataclasses.replace(quad(), colors=np.full((2, 3, 3), (1.0, 0.5, 0.0), np.float32))
    plain = picture(scene((quad(), place()), lights=(sun(),)))[CENTRE]
    unasked = picture(scene((tinted, place()), lights=(sun(),)))[CENTRE]
    np.testing.assert_array_equal(unasked, plain)
    asked = scene(
        (tinted, place()), lights=(sun(),), materials=(matte(0.5, use_display_color=True),)
    )
    share = picture(asked)[CENTRE] - picture(scene((quad(), place()), lights=(sun(),), materials=(matte(0.0),)))[CENTRE]  # fmt: skip
    np.testing.assert_allclose(share[1] / share[0], 0.5, rtol=1e-4)
    assert share[2] == pytest.approx(0.0, abs=1e-6)


def test_metal_takes_its_colour_from_the_base() -> None:
    """Reflect a white sky in the metal's own colour."""
    gold = Material(name="gold", base_color=(0.9, 0.6, 0.1), metallic=1.0, roughness=0.3)
    seen = picture(scene((quad(), place()), materials=(gold,), lights=(sky(),)))[CENTRE]
    np.testing.assert_allclose(seen, gold.base_color, rtol=0.05)


def test_wide_sun_makes_a_penumbra() -> None:
    """Go from dark to light in many small steps, as wide as the sun's disc makes it."""
    seen = scene(
        (quad(9.0, 9.0), place()),
        (box((4.0, 4.0, 0.1)), place(-2.0, 0.0, 1.0)),
        lights=(sun(angle=0.5),),
    )
    row = picture(seen, looking((1.2, 0.0, 0.6), (0.0, 0.001, 0.0)), samples=16)[:, 20, 0]
    level = row / row.max()
    partly = (level > 0.01) & (level < 0.9)
    assert partly.sum() >= 5
    assert np.abs(np.diff(level)).max() < 0.4


def test_coarse_smooth_ball_does_not_shade_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Light a coarse ball as if it threw no shadow: no point of a ball hides another's light."""
    seen = scene((sphere(1.0, rings=8), place()), lights=(sun(direction=(-0.9, 0.0, -0.4358899)),))
    pose = looking((0.5, -3.0, 0.3), (0.0, 0.0, 0.0))
    shaded = picture(seen, pose)
    monkeypatch.setattr(
        Tracer, "occluded", lambda _self, rays, _world, **_parts: np.zeros(len(rays), bool)
    )
    np.testing.assert_allclose(shaded, picture(seen, pose), rtol=1e-6)
    assert (shaded > 0.01).any()


def test_object_casts_its_shadow_while_it_moves() -> None:
    """Take the shadow along with a moving object."""
    seen = scene(
        (quad(9.0, 9.0), place()),
        (box((1.0, 1.0, 0.2)), place(0.0, 0.0, 1.0)),
        lights=(sun(),),
        velocity={1: (3.0, 0.0, 0.0)},
    )
    pose = looking((0.0, -4.0, 0.8), (0.0, 0.0, 0.0))
    views = views_of(seen, pose, pose, t_us=(0, 1_000_000))
    before, after = EmbeddedRenderer(seen, CAMERA, samples=1).radiance(views)[:, 16, 20, 0]
    assert before < 0.25 * after
    assert after > 0.1


def test_shadows_do_not_depend_on_the_origin() -> None:
    """Show the same picture when all is moved a hundred kilometres away."""

    def shot(away: tuple[float, float, float]) -> NDArray[np.float32]:
        ground, ball = place(*away), place(0.3 + away[0], 0.2 + away[1], 0.5 + away[2])
        lights = (sun(direction=(0.6, 0.0, -0.8)), sky(0.3))
        seen = scene((quad(8.0, 8.0), ground), (sphere(), ball), lights=lights)
        return picture(seen, place(*away) @ looking((2.0, -2.0, 1.5), (0.0, 0.0, 0.2)))

    np.testing.assert_allclose(shot((1e5, -2e5, 3e3)), shot((0.0, 0.0, 0.0)), atol=1e-4)
