"""Some right-hand sides as one machine value, for numba kernels.

LLVM's auto-vectoriser does not keep a row of 32 right-hand sides in registers while it walks a sparse
row: it re-loads and re-stores the accumulator for every non-zero, which costs a factor of three. Here a
row is one LLVM vector `<32 x double>`; LLVM splits it into whatever registers the machine has (4 of
AVX-512, 8 of AVX2, 16 of NEON), so the kernels in :mod:`repose.gih.kernels` stay portable and read like
the maths: ``row = row - scalar * load(x, i)``. A computation with many intermediate values takes a row in
parts of 8, as its values would spill out of the registers otherwise.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.extending import models, overload, register_model

intrinsic: Any = extending.intrinsic  # numba types the compiler's view of these functions, not the caller's

LANES = 32
"""Right-hand sides per block. More would spill out of the registers, fewer would re-read the factors."""

PART = 8
"""Right-hand sides of a part of a row: one register of AVX-512, two of AVX2."""

_DOUBLE, _I64, _I32 = ir.DoubleType(), ir.IntType(64), ir.IntType(32)


class RowType(types.Type):
    """The numba type of ``lanes`` float64 that live in registers."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"Row{lanes}")

    @property
    def vector(self) -> ir.VectorType:
        """What LLVM calls it."""
        return ir.VectorType(_DOUBLE, self.lanes)


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


def access(lanes: int) -> tuple[Any, Any]:
    """``load(x, i)`` and ``store(x, i, row)`` for the i-th ``lanes`` numbers of a float64 array.

    The array is C-contiguous and starts at a multiple of 64 bytes, where `LANES` and `PART` make each access whole
    cache lines. Bounds are not checked.
    """
    row_type = RowType(lanes)

    def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
        struct = context.make_array(array_type)(context, builder, array)
        first = builder.gep(struct.data, [builder.mul(index, ir.Constant(_I64, lanes))])
        return builder.bitcast(first, row_type.vector.as_pointer())

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
def any_below(_typing: Any, row: Any, limit: Any) -> Any:
    """Whether some lane is less than ``limit``, or NaN."""

    def emit(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        below = builder.fcmp_unordered("<", args[0], _splat(builder, row, args[1]))
        mask = builder.bitcast(below, ir.IntType(row.lanes))
        return builder.icmp_unsigned("!=", mask, ir.Constant(mask.type, 0))

    return types.boolean(row, types.float64), emit


@intrinsic
def rsqrt(_typing: Any, row: Any) -> Any:
    """1/sqrt of every lane to 3e-11 relative, for positive normal numbers.

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
    """The operator between rows, and between a number and a row."""

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
