"""Sixteen visibility samples of a pixel at once: the inner loop of the rasteriser as vector code.

In: the edge functions of a triangle, a run of pixels in one row. Changed in place: nearest 1/z and
record of every sample. Numba has no vector types, so this one loop is built as LLVM IR; it runs on
whatever vector width the machine has and gives the same bits on all (no fused operations, no
reassociation).

An edge function e(x, y) = a x + b y + c is computed in float64 at the pixel's corner, rounded to
float32 and then moved to the samples in float32. Two triangles that share an edge have exactly
opposite a, b, c, hence exactly opposite values: no sample falls between them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
_F32, _F64, _I32 = ir.FloatType(), ir.DoubleType(), ir.IntType(32)
_FLOATS, _INTS = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)


@intrinsic
def cover_run(typingctx, plane, offset, row, first, last, inverse_z, record, base, stride, value):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Test the samples of pixels first .. last - 1 of a row and keep what is nearest.

    Args (of the compiled function):
        plane: (12,) float64; a, b, c of three edges, inside where all are >= 0, and of 1/z.
        offset: (2, LANES) float32 places of the samples in the pixel, x then y.
        row: y of the pixels' corner.
        first, last: columns.
        inverse_z: flat float32, nearest 1/z of every sample so far.
        record: flat int32, what was nearest.
        base: index of the first pixel's first lane in both.
        stride: from a pixel's first lane to the next pixel's.
        value: written to `record`.
    """
    signature = types.void(
        plane, offset, types.float64, types.int64, types.int64, inverse_z, record,
        types.int64, types.int64, types.int32,
    )  # fmt: skip
    return signature, _build


def _build(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    plane, offset, row, first, last, inverse_z, record, base, stride, value = args
    coefficient = [
        builder.load(builder.gep(_data(context, builder, signature.args[0], plane), [_const(i)]))
        for i in range(12)
    ]
    places = _data(context, builder, signature.args[1], offset)
    dx, dy = _load(builder, places, _FLOATS), _load(builder, places, _FLOATS, LANES)
    moved = [_moved(builder, coefficient[3 * i : 3 * i + 2], dx, dy) for i in range(4)]
    at_row = _at_row(builder, coefficient, row)
    nearest = _data(context, builder, signature.args[5], inverse_z)
    winner = _data(context, builder, signature.args[6], record)
    values = _splat(builder, value, _INTS)
    with cgutils.for_range_slice(builder, first, last, _const(1), inc=True) as (column, _step):
        here = _at_pixel(builder, coefficient, at_row, builder.sitofp(column, _F64))
        lanes = [builder.fadd(here[i], moved[i]) for i in range(4)]
        at = builder.add(base, builder.mul(builder.sub(column, first), stride))
        _keep_nearest(builder, lanes, values, nearest, winner, at)
    return context.get_dummy_value()


@intrinsic
def cover_listed(typingctx, plane, offset, row, columns, first, last, inverse_z, record, value):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Test all samples of listed pixels of a row and keep what is nearest.

    Args (of the compiled function), the others as in `cover_run`:
        offset: (groups, 2, LANES).
        columns: flat int32 of the listed pixels.
        first, last: which of them; their lanes lie one after another in inverse_z and record.
    """
    signature = types.void(
        plane, offset, types.float64, columns, types.int64, types.int64, inverse_z, record,
        types.int32,
    )  # fmt: skip
    return signature, _build_listed


def _build_listed(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    plane, offset, row, columns, first, last, inverse_z, record, value = args
    coefficient = [
        builder.load(builder.gep(_data(context, builder, signature.args[0], plane), [_const(i)]))
        for i in range(12)
    ]
    at_row = _at_row(builder, coefficient, row)
    places = _data(context, builder, signature.args[1], offset)
    groups = builder.extract_value(
        context.make_array(signature.args[1])(context, builder, offset).shape, 0
    )
    column_of = _data(context, builder, signature.args[3], columns)
    nearest = _data(context, builder, signature.args[6], inverse_z)
    winner = _data(context, builder, signature.args[7], record)
    values = _splat(builder, value, _INTS)
    with cgutils.for_range_slice(builder, first, last, _const(1), inc=True) as (pixel, _step):
        column = builder.sitofp(builder.load(builder.gep(column_of, [pixel])), _F64)
        here = _at_pixel(builder, coefficient, at_row, column)
        start = builder.mul(pixel, groups)
        with cgutils.for_range(builder, groups) as group:
            k = builder.mul(group.index, _const(2 * LANES))
            dx = _load(builder, places, _FLOATS, k)
            dy = _load(builder, places, _FLOATS, builder.add(k, _const(LANES)))
            lanes = [
                builder.fadd(here[i], _moved(builder, coefficient[3 * i : 3 * i + 2], dx, dy))
                for i in range(4)
            ]
            at = builder.mul(builder.add(start, group.index), _const(LANES))
            _keep_nearest(builder, lanes, values, nearest, winner, at)
    return context.get_dummy_value()


def _at_row(builder: ir.IRBuilder, coefficient: list[Any], row: Any) -> list[Any]:
    """The four functions at x = 0."""
    return [
        builder.fadd(builder.fmul(coefficient[3 * i + 1], row), coefficient[3 * i + 2])
        for i in range(4)
    ]


def _at_pixel(
    builder: ir.IRBuilder, coefficient: list[Any], at_row: list[Any], x: Any
) -> list[Any]:
    """The four functions at a pixel's corner, in every lane."""
    return [
        _splat(
            builder,
            builder.fptrunc(builder.fadd(builder.fmul(coefficient[3 * i], x), at_row[i]), _F32),
            _FLOATS,
        )
        for i in range(4)
    ]


def _keep_nearest(
    builder: ir.IRBuilder, lanes: list[Any], values: Any, nearest: Any, winner: Any, at: Any
) -> None:
    """Write 1/z and record of the lanes that are inside and nearer than what is there."""
    old = _load(builder, nearest, _FLOATS, at)
    seen = builder.fcmp_ordered(">", lanes[3], old)
    zero = ir.Constant(_FLOATS, [0.0] * LANES)
    for i in range(3):
        seen = builder.and_(seen, builder.fcmp_ordered(">=", lanes[i], zero))
    any_seen = builder.icmp_unsigned(
        "!=", builder.bitcast(seen, ir.IntType(LANES)), ir.Constant(ir.IntType(LANES), 0)
    )
    with builder.if_then(any_seen):
        _store(builder, builder.select(seen, lanes[3], old), nearest, _FLOATS, at)
        kept = builder.select(seen, values, _load(builder, winner, _INTS, at))
        _store(builder, kept, winner, _INTS, at)


@intrinsic
def lanes_with(typingctx, record, at, value):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Bit k: record[at + k] == value, for 0 <= k < LANES; `record` is flat int32."""
    return types.uint64(record, types.int64, types.int32), _build_lanes_with


def _build_lanes_with(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    record, at, value = args
    lanes = _load(builder, _data(context, builder, signature.args[0], record), _INTS, at)
    same = builder.icmp_signed("==", lanes, _splat(builder, value, _INTS))
    return builder.zext(builder.bitcast(same, ir.IntType(LANES)), ir.IntType(64))


def _moved(builder: ir.IRBuilder, slope: list[Any], dx: Any, dy: Any) -> Any:
    """How much a linear function differs at the samples from its value at the pixel's corner."""
    a, b = (_splat(builder, builder.fptrunc(k, _F32), _FLOATS) for k in slope)
    return builder.fadd(builder.fmul(a, dx), builder.fmul(b, dy))


def _const(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _data(context: Any, builder: ir.IRBuilder, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def _splat(builder: ir.IRBuilder, scalar: Any, kind: ir.VectorType) -> Any:
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, _I32(0))
    mask = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), mask)


def _load(builder: ir.IRBuilder, data: Any, kind: ir.VectorType, at: Any = 0) -> Any:
    place = builder.gep(data, [_const(at) if isinstance(at, int) else at])
    vector = builder.load(builder.bitcast(place, ir.PointerType(kind)))
    vector.align = 4
    return vector


def _store(builder: ir.IRBuilder, vector: Any, data: Any, kind: ir.VectorType, at: Any) -> None:
    place = builder.bitcast(builder.gep(data, [at]), ir.PointerType(kind))
    builder.store(vector, place).align = 4
