"""Several right-hand sides, or a square tile of a matrix, as one machine value, for numba kernels.

LLVM's auto-vectoriser does not keep a row of 32 right-hand sides in registers while it walks a sparse row: it re-loads
and re-stores the accumulator for every non-zero, which costs a factor of three. Here a row is one LLVM vector `<32 x
double>`; LLVM splits it into whatever registers the machine has (4 of AVX-512, 8 of AVX2, 16 of NEON), so the kernels
in :mod:`repose.gih.kernels` stay portable and read like the maths: ``row = row - scalar * load(x, i)``. A computation
with many intermediate values takes a row in parts of 8, because its values would spill out of the registers otherwise.
A tile is one `<64 x float>`, which LLVM transposes by shuffles, where a loop would move its numbers one by one.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, overload, register_model

# numba checks the compiler's signature of these functions, not the caller's
intrinsic: Any = extending.intrinsic

LANES = 32
"""Right-hand sides per block. More would spill out of the registers, fewer would re-read the factors."""

PART = 8
"""Right-hand sides of a part of a row: one register of AVX-512, two of AVX2."""

TILE = 8
"""Rows, and columns, of a tile."""

_DOUBLE, _FLOAT, _I64, _I32 = ir.DoubleType(), ir.FloatType(), ir.IntType(64), ir.IntType(32)
_LINE = 64  # bytes of a cache line


class RowType(types.Type):
    """The numba type of ``lanes`` float64 or float32 values that live in registers."""

    def __init__(self, lanes: int, element: ir.Type = _DOUBLE) -> None:
        self.lanes = lanes
        self.vector = ir.VectorType(element, lanes)
        super().__init__(name=f"Row{lanes}{element}")


@register_model(RowType)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: RowType):
        super().__init__(manager, kind, kind.vector)


def _splat(builder: Any, kind: RowType, scalar: Any) -> Any:
    undefined = ir.Constant(kind.vector, ir.Undefined)
    one = builder.insert_element(undefined, scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(
        one, undefined, ir.Constant(ir.VectorType(_I32, kind.lanes), [0] * kind.lanes)
    )


def _address(context: Any, builder: Any, array_type: Any, array: Any, first: Any, to: ir.Type) -> Any:
    """Return the address of number ``first`` of a C-contiguous array, as a pointer to ``to``."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [first]), to.as_pointer())


def access(lanes: int) -> tuple[Any, Any]:
    """Return ``load(x, i)`` and ``store(x, i, row)`` for the i-th ``lanes`` numbers of a float64 array.

    The array must be C-contiguous and start at a multiple of 64 bytes; with `LANES` and `PART` each access then covers
    whole cache lines. Bounds are not checked.
    """
    row_type = RowType(lanes)

    def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
        first = builder.mul(index, ir.Constant(_I64, lanes))
        return _address(context, builder, array_type, array, first, row_type.vector)

    @intrinsic
    def load(_typing: Any, x: Any, i: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.load(address(context, builder, signature.args[0], *args), align=64)

        return row_type(x, types.int64), emit

    @intrinsic
    def store(_typing: Any, x: Any, i: Any, row: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            builder.store(args[2], address(context, builder, signature.args[0], *args[:2]), align=64)
            return context.get_dummy_value()

        return types.void(x, types.int64, row_type), emit

    return load, store


load, store = access(LANES)
load_part, store_part = access(PART)


@intrinsic
def take(_typing: Any, turn: Any) -> Any:
    """Return the number in an int64 array of length one and increment it atomically, for all threads."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", number, ir.Constant(_I64, 1), "monotonic")

    return types.int64(turn), emit


@intrinsic
def prefetch(_typing: Any, x: Any, i: Any) -> Any:
    """Prefetch row ``i`` of LANES, which is needed soon; this only affects speed."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte = ir.IntType(8)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), _I32, _I32, _I32])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        first = builder.mul(args[1], ir.Constant(_I64, LANES))
        row = _address(context, builder, signature.args[0], args[0], first, byte)
        to_read, in_all_caches, data = (ir.Constant(_I32, value) for value in (0, 3, 1))
        for offset in range(0, LANES * 8, _LINE):
            line = builder.gep(row, [ir.Constant(_I64, offset)])
            builder.call(call, [line, to_read, in_all_caches, data])
        return context.get_dummy_value()

    return types.void(x, types.int64), emit


_TILE_TYPE = RowType(TILE * TILE, _FLOAT)


def _shuffle(builder: Any, a: Any, b: Any, lanes: Sequence[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(lanes)), list(lanes)))


def _joined(builder: Any, rows: Sequence[Any]) -> Any:
    while len(rows) > 1:
        both = range(2 * rows[0].type.count)
        rows = [_shuffle(builder, a, b, both) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    return rows[0]


@intrinsic
def load_tile(_typing: Any, x: Any, first: Any, stride: Any) -> Any:
    """Load TILE x TILE numbers of a C-contiguous float32 array from number ``first`` on, rows ``stride`` apart."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = _tile_rows(context, builder, signature, args)
        return _joined(builder, [builder.load(row, align=4) for row in rows])

    return _TILE_TYPE(x, types.int64, types.int64), emit


@intrinsic
def store_tile(_typing: Any, x: Any, first: Any, stride: Any, tile: Any) -> Any:
    """Store a tile, the inverse of :func:`load_tile`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for i, row in enumerate(_tile_rows(context, builder, signature, args)):
            part = _shuffle(builder, args[3], args[3], range(i * TILE, (i + 1) * TILE))
            builder.store(part, row, align=4)
        return context.get_dummy_value()

    return types.void(x, types.int64, types.int64, tile), emit


def _tile_rows(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    offsets = (builder.mul(args[2], ir.Constant(_I64, i)) for i in range(TILE))
    kind, row = signature.args[0], ir.VectorType(_FLOAT, TILE)
    return [_address(context, builder, kind, args[0], builder.add(args[1], by), row) for by in offsets]


@intrinsic
def transpose(_typing: Any, tile: Any) -> Any:
    """Transpose a tile."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _shuffle(
            builder, args[0], args[0], np.arange(TILE * TILE).reshape(TILE, TILE).T.ravel().tolist()
        )

    return tile(tile), emit


@intrinsic
def load_rows(_typing: Any, x: Any, rows: Any, first: Any, part: Any) -> Any:
    """Load part ``part`` of TILE rows of LANES of ``x``, stacked; ``rows`` holds their numbers from ``first`` on."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, kind_of_rows = signature.args[:2]
        numbers = context.make_array(kind_of_rows)(context, builder, args[1]).data
        row, found = ir.VectorType(_DOUBLE, PART), []
        for i in range(TILE):
            at = builder.load(builder.gep(numbers, [builder.add(args[2], ir.Constant(_I64, i))]))
            at = builder.mul(builder.sext(at, _I64), ir.Constant(_I64, LANES))
            at = builder.add(at, builder.mul(args[3], ir.Constant(_I64, PART)))
            found.append(builder.load(_address(context, builder, kind, args[0], at, row), align=_LINE))
        return _joined(builder, found)

    return RowType(TILE * PART)(x, rows, types.int64, types.int64), emit


@intrinsic
def repeat(_typing: Any, row: Any) -> Any:
    """Stack TILE copies of a row."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return _joined(builder, [args[0]] * TILE)

    return RowType(TILE * row.lanes)(row), emit


@intrinsic
def narrow(_typing: Any, row: Any) -> Any:
    """Round to float32."""

    def emit(_context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fptrunc(args[0], signature.return_type.vector)

    return RowType(row.lanes, _FLOAT)(row), emit


@intrinsic
def positive(_typing: Any, row: Any) -> Any:
    """Return the positive values of a row or tile, and 0 elsewhere, also for NaN."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        zero = ir.Constant(row.vector, [0.0] * row.lanes)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[0], zero)

    return row(row), emit


@intrinsic
def count_nan(_typing: Any, row: Any) -> Any:
    """Count the NaN of a row or tile."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        mask = builder.bitcast(builder.fcmp_unordered("uno", *args, *args), ir.IntType(row.lanes))
        return builder.zext(builder.ctpop(mask), _I64)

    return types.int64(row), emit


@intrinsic
def any_below(_typing: Any, row: Any, limit: Any) -> Any:
    """Return whether some lane is less than ``limit``, or NaN."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        below = builder.fcmp_unordered("<", args[0], _splat(builder, row, args[1]))
        mask = builder.bitcast(below, ir.IntType(row.lanes))
        return builder.icmp_unsigned("!=", mask, ir.Constant(mask.type, 0))

    return types.boolean(row, types.float64), emit


@intrinsic
def rsqrt(_typing: Any, row: Any) -> Any:
    """Return 1/sqrt of every lane to 3e-11 relative, for positive normal numbers.

    The classic bit trick and three Newton steps: a third of the cycles of a square root and a
    division. The result only scales a unit vector whose end is stored as float32.
    """

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        integers = ir.VectorType(_I64, row.lanes)
        number = lambda value: ir.Constant(row.vector, [value] * row.lanes)  # noqa: E731
        bits = lambda value: ir.Constant(integers, [value] * row.lanes)  # noqa: E731
        half_bits = builder.lshr(builder.bitcast(args[0], integers), bits(1))
        y = builder.bitcast(builder.sub(bits(0x5FE6EB50C7B537A9), half_bits), row.vector)
        half = builder.fmul(args[0], number(0.5))
        for _ in range(3):
            correction = builder.fmul(builder.fmul(half, y), y, flags=_FUSE)
            y = builder.fmul(y, builder.fsub(number(1.5), correction, flags=_FUSE))
        return y

    return row(row), emit


_FUSE = ("contract",)  # lets LLVM use fused multiply-add, and nothing else


def _binary(name: str, instruction: str) -> None:
    """Define the operator between rows, and between a number and a row."""

    @intrinsic
    def rows(_typing: Any, a: Any, b: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(*args, flags=_FUSE)

        return a(a, b), emit

    @intrinsic
    def scalar_row(_typing: Any, a: Any, b: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(_splat(builder, b, args[0]), args[1], flags=_FUSE)

        return b(a, b), emit

    @overload(getattr(operator, name), inline="always")
    def _operator(a, b):  # numba compares this signature with the lambda's
        if isinstance(a, RowType) and a == b:
            return lambda a, b: rows(a, b)
        if isinstance(a, types.Float) and isinstance(b, RowType):
            return lambda a, b: scalar_row(a, b)
        return None


for _name in ("add", "sub", "mul"):
    _binary(_name, f"f{_name}")
