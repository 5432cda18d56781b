"""Reads and writes of arrays that are known not to overlap.

A loop that reads from places that are computed (texels) and writes elsewhere is not vectorised,
because the compiler must fear that a write changes what is read next. These functions carry the
promise that it does not, as LLVM's scoped no-alias metadata: what `write` writes and `fetch` reads
is never read by `read` in the same kernel. Indices are not checked and must not be negative.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def read(typingctx, array, index):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """`array[index]` of a flat array that is not written to."""
    return array.dtype(array, types.int64), _load("alias.scope")


@intrinsic
def fetch(typingctx, array, index):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """`array[index]` of a flat array that is written to."""
    return array.dtype(array, types.int64), _load("noalias")


@intrinsic
def write(typingctx, array, index, value):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """`array[index] = value` of a flat array that is written to."""

    def build(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        store = builder.store(args[2], _place(context, builder, signature, args))
        store.set_metadata("noalias", _scope(builder))
        return context.get_dummy_value()

    return types.void(array, types.int64, array.dtype), build


def _load(kind: str) -> Any:
    def build(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        value = builder.load(_place(context, builder, signature, args))
        value.set_metadata(kind, _scope(builder))
        return value

    return build


def _place(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


def _scope(builder: ir.IRBuilder) -> Any:
    module = builder.module
    domain = module.add_metadata([ir.MetaDataString(module, "apart")])
    scope = module.add_metadata([ir.MetaDataString(module, "only read"), domain])
    return module.add_metadata([scope])
