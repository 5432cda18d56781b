"""Texels mixed by bilinear weights, all channels of neighbours at once: the inner loop of `probes`.

A texel is two words of two half floats, r, g and b, a; two texels side by side are one vector of
eight numbers. Numba has no vector types, so these loops are built as LLVM IR, as in `lanes`; they
give the same bits whatever the vector width (no fused operations, no reassociation).

A half float >= 0 with its bits in the place of a float32's is itself over 2^112; the weights take
that factor (WEIGHT_OF_HALF).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WEIGHT_OF_HALF = 2.0**112
_F32, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(16), ir.IntType(32), ir.IntType(64)


@intrinsic
def add_grid(typingctx, words, first, size, start, a, b, number, weight, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Add the bilinear values at a grid of places inside a picture.

    Args (of the compiled function):
        words: flat uint32.
        first: word of the picture's first texel.
        size: int64 texels of its rows and columns.
        start: (x, y) of the first place, float32, the middles of texels at whole numbers; for all
            places 0 <= x < columns - 1, 0 <= y < rows - 1.
        a, b: (x, y) from place to place, float32.
        number: int64 places along a and b.
        weight: float32 of each place, times WEIGHT_OF_HALF.
        out: flat float32; out[at] .. out[at + 3] are added to.
        at: int64.
    """
    return _grid_signature(words, out), _build_inside


@intrinsic
def add_repeated_grid(typingctx, words, first, size, start, a, b, number, weight, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """As `add_grid` for a picture that repeats: 0 <= x < 2 columns, 0 <= y < 2 rows."""
    return _grid_signature(words, out), _build_repeated


def _grid_signature(words: Any, out: Any) -> Any:
    place, count = types.UniTuple(types.float32, 2), types.UniTuple(types.int64, 2)
    return types.void(
        words, types.int64, count, place, place, place, count, types.float32, out, types.int64
    )


def _build_inside(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    return _build_grid(context, builder, signature, args, _pairs_inside)


def _build_repeated(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    return _build_grid(context, builder, signature, args, _pairs_repeated)


def _build_grid(
    context: Any, builder: ir.IRBuilder, signature: Any, args: Any, pairs: Callable[..., Any]
) -> Any:
    words, first, size, start, a, b, number, weight, out, at = args
    texels = builder.gep(
        context.make_array(signature.args[0])(context, builder, words).data, [first]
    )
    eight, one = ir.VectorType(_F32, 8), ir.Constant(_F32, 1.0)
    total = cgutils.alloca_once(builder, eight)
    builder.store(ir.Constant(eight, [0.0] * 8), total)
    sides = [builder.extract_value(size, axis) for axis in range(2)]
    with cgutils.for_range(builder, builder.extract_value(number, 1)) as row:
        left = [
            _further(builder, builder.extract_value(start, k), b, row.index, k) for k in range(2)
        ]
        with cgutils.for_range(builder, builder.extract_value(number, 0)) as column:
            x, y = (_further(builder, left[k], a, column.index, k) for k in range(2))
            (i, u), (j, v) = _split(builder, x), _split(builder, y)
            above, below = pairs(builder, texels, sides, i, j)
            upper = _splat(builder, builder.fmul(builder.fsub(one, v), weight), 8)
            lower = _splat(builder, builder.fmul(v, weight), 8)
            mean = builder.fadd(builder.fmul(above, upper), builder.fmul(below, lower))
            beside = _four_each(builder, builder.fsub(one, u), u)
            builder.store(builder.fadd(builder.load(total), builder.fmul(mean, beside)), total)
    left_half, right_half = (_part(builder, builder.load(total), k) for k in (0, 4))
    _add_to(context, builder, signature.args[8], out, at, builder.fadd(left_half, right_half))
    return context.get_dummy_value()


def _pairs_inside(builder: ir.IRBuilder, texels: Any, size: list[Any], i: Any, j: Any) -> list[Any]:
    """Texels i, i + 1 of rows j, j + 1 side by side."""
    above = _texel(builder, texels, size[0], i, j)
    below = builder.gep(above, [_twice(builder, size[0])])
    return [_halves(builder, place, 8) for place in (above, below)]


def _pairs_repeated(
    builder: ir.IRBuilder, texels: Any, size: list[Any], i: Any, j: Any
) -> list[Any]:
    i, j = (_once_round(builder, k, n) for k, n in zip((i, j), size, strict=True))
    one = ir.Constant(_I64, 1)
    next_i, next_j = (
        _once_round(builder, builder.add(k, one), n) for k, n in zip((i, j), size, strict=True)
    )
    both = ir.Constant(ir.VectorType(_I32, 8), list(range(8)))
    return [
        builder.shuffle_vector(
            *(_halves(builder, _texel(builder, texels, size[0], k, row), 4) for k in (i, next_i)),
            both,
        )
        for row in (j, next_j)
    ]


def _once_round(builder: ir.IRBuilder, k: Any, size: Any) -> Any:
    """k or k - size, whichever is in the picture."""
    return builder.select(builder.icmp_signed(">=", k, size), builder.sub(k, size), k)


def _texel(builder: ir.IRBuilder, texels: Any, width: Any, i: Any, j: Any) -> Any:
    return builder.gep(texels, [_twice(builder, builder.add(builder.mul(j, width), i))])


@intrinsic
def add_four(typingctx, words, places, weights, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Add four texels, each times its weight.

    Args (of the compiled function):
        words: flat uint32.
        places: int64, first word of each.
        weights: float32, times WEIGHT_OF_HALF.
        out: flat float32; out[at] .. out[at + 3] are added to.
        at: int64.
    """
    four = types.UniTuple(types.int64, 4), types.UniTuple(types.float32, 4)
    return types.void(words, *four, out, types.int64), _build_four


def _build_four(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    words, places, weights, out, at = args
    texels = context.make_array(signature.args[0])(context, builder, words).data
    total = None
    for k in range(4):
        texel = _halves(builder, builder.gep(texels, [builder.extract_value(places, k)]), 4)
        part = builder.fmul(texel, _splat(builder, builder.extract_value(weights, k), 4))
        total = part if total is None else builder.fadd(total, part)
    _add_to(context, builder, signature.args[3], out, at, total)
    return context.get_dummy_value()


def _further(builder: ir.IRBuilder, start: Any, step: Any, count: Any, axis: int) -> Any:
    times = builder.fmul(builder.extract_value(step, axis), builder.sitofp(count, _F32))
    return builder.fadd(start, times)


def _split(builder: ir.IRBuilder, x: Any) -> tuple[Any, Any]:
    """Whole part of a number >= 0, as int64, and the rest."""
    whole = builder.fptosi(x, _I32)
    return builder.sext(whole, _I64), builder.fsub(x, builder.sitofp(whole, _F32))


def _twice(builder: ir.IRBuilder, number: Any) -> Any:
    return builder.shl(number, ir.Constant(_I64, 1))


def _halves(builder: ir.IRBuilder, place: Any, count: int) -> Any:
    """Half floats from a place on, over 2^112."""
    packed = builder.load(builder.bitcast(place, ir.PointerType(ir.VectorType(_I16, count))))
    packed.align = 4
    wide = ir.VectorType(_I32, count)
    value = builder.and_(builder.zext(packed, wide), ir.Constant(wide, [0x7FFF] * count))
    bits = builder.shl(value, ir.Constant(wide, [13] * count))
    return builder.bitcast(bits, ir.VectorType(_F32, count))


def _splat(builder: ir.IRBuilder, scalar: Any, count: int) -> Any:
    kind = ir.VectorType(_F32, count)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, _I32(0))
    mask = ir.Constant(ir.VectorType(_I32, count), [0] * count)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)


def _part(builder: ir.IRBuilder, vector: Any, first: int) -> Any:
    """Four of a vector's numbers."""
    mask = ir.Constant(ir.VectorType(_I32, 4), [first + k for k in range(4)])
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _four_each(builder: ir.IRBuilder, a: Any, b: Any) -> Any:
    kind = ir.VectorType(_F32, 8)
    both = builder.insert_element(ir.Constant(kind, ir.Undefined), a, _I32(0))
    both = builder.insert_element(both, b, _I32(1))
    mask = ir.Constant(ir.VectorType(_I32, 8), [0] * 4 + [1] * 4)
    return builder.shuffle_vector(both, ir.Constant(kind, ir.Undefined), mask)


def _add_to(
    context: Any, builder: ir.IRBuilder, kind: Any, array: Any, at: Any, value: Any
) -> None:
    place = builder.gep(context.make_array(kind)(context, builder, array).data, [at])
    place = builder.bitcast(place, ir.PointerType(value.type))
    before = builder.load(place)
    before.align = 4
    builder.store(builder.fadd(before, value), place).align = 4
