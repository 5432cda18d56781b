"""Listing the marked ones among sixteen pixels at a time, as vector code.

AVX-512 moves the chosen lanes of a vector together in one instruction; LLVM knows that as
`llvm.experimental.vector.compress`. Elsewhere this would be taken apart into more work than a loop
over single marks, which writes the same indices (`datagen.sensors.events.tiles.list_marked`).
Numba has no vector types, so this is built as LLVM IR.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

MARKS = 16
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_SEEN, _INDICES = ir.VectorType(_I8, MARKS), ir.VectorType(_I32, MARKS)


def _compresses() -> bool:
    try:
        return bool(binding.get_host_cpu_features().get("avx512f", False))
    except RuntimeError:  # LLVM does not know the features of every kind of processor
        return False


COMPRESSES = _compresses()
"""Whether this processor moves chosen lanes together by itself."""


@intrinsic
def append_marked(typingctx, mark, first, listed, m):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """List the ones among MARKS marks.

    Args (of the compiled function):
        mark: uint8, zeros and ones.
        first: index of the first of the marks, int64.
        listed: int32; listed[m] .. listed[m + MARKS - 1] are written.
        m: how many are listed so far, int64.

    Returns:
        How many are listed then.
    """
    return types.int64(mark, types.int64, listed, types.int64), _build


def _build(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    mark, first, listed, m = args
    places = [
        builder.gep(context.make_array(kind)(context, builder, array).data, [index])
        for kind, array, index in zip(signature.args[::2], (mark, listed), (first, m), strict=True)
    ]
    source = builder.bitcast(places[0], _SEEN.as_pointer())
    chosen = builder.icmp_unsigned("!=", builder.load(source, align=1), _SEEN(0))
    compress = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(_INDICES, [_INDICES, chosen.type, _INDICES]),
        f"llvm.experimental.vector.compress.v{MARKS}i32",
    )
    together = builder.call(compress, [_counted(builder, first), chosen, _INDICES(ir.Undefined)])
    target = builder.bitcast(places[1], _INDICES.as_pointer())
    builder.store(together, target, align=4)
    number = builder.ctpop(builder.bitcast(chosen, ir.IntType(MARKS)))
    return builder.add(m, builder.zext(number, _I64))


def _counted(builder: ir.IRBuilder, first: Any) -> Any:
    """first, first + 1, ..."""
    nothing = _INDICES(ir.Undefined)
    lane = builder.insert_element(nothing, builder.trunc(first, _I32), _I32(0))
    spread = builder.shuffle_vector(lane, nothing, _INDICES([0] * MARKS))
    return builder.add(spread, _INDICES(list(range(MARKS))))
