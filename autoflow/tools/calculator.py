"""Arithmetic without `eval`: a small evaluator over Python's own syntax tree, bounded in size and time."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

from autoflow.errors import ToolArgumentError

Number = int | float
MAX_CHARACTERS = 300  # of an expression; also bounds how deep it nests
MAX_BITS = 10_000  # of any whole number on the way: about 3,000 digits

_SIGNS = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**"}
_CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
_UNARY: dict[type[ast.unaryop], Callable[[Number], Number]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def _round(value: Number, digits: Number = 0) -> Number:
    """Like `round`, which would work out 10 to the power of any number of digits."""
    if not isinstance(digits, int) or abs(digits) > 400:
        raise ValueError("the digits to round to are a whole number up to 400")
    return round(value, digits) if digits else round(value)


_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "abs": abs, "round": _round, "min": min, "max": max, "sqrt": math.sqrt, "floor": math.floor, "ceil": math.ceil,
    "exp": math.exp, "log": math.log, "ln": math.log, "log10": math.log10, "log2": math.log2,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan,
    "degrees": math.degrees, "radians": math.radians, "hypot": math.hypot, "gcd": math.gcd,
}  # fmt: skip


def evaluate(expression: str) -> Number:
    """The value of an arithmetic expression; `^` is a power, `×` and `÷` are read too.

    Raises ToolArgumentError: it is no arithmetic, has no real value, or is too large.
    """
    text = expression.strip()
    if len(text) > MAX_CHARACTERS:
        raise ToolArgumentError(
            f"The expression has {len(text)} characters; {MAX_CHARACTERS} are the most.", "Split it."
        )
    for sign, meant in _SIGNS.items():
        text = text.replace(sign, meant)
    try:
        return _bounded(_value(ast.parse(text, mode="eval").body))
    except ZeroDivisionError as error:
        raise ToolArgumentError(f"`{expression}` divides by zero.") from error
    except OverflowError as error:
        raise _too_large() from error
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else error
        raise ToolArgumentError(
            f"`{expression}` cannot be calculated: {why}.",
            f"Use numbers, + - * / // % **, brackets, {', '.join(_CONSTANTS)} and {', '.join(_FUNCTIONS)}.",
        ) from error


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=bool()):
            raise ValueError("only numbers count")
        case ast.Constant(value=int() | float() as value):
            return _bounded(value)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_value(left), _value(right)))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*(_value(argument) for argument in arguments)))
        case ast.Tuple():
            raise ValueError("a comma separates arguments; write numbers without it")
        case _:
            raise ValueError("this is no arithmetic")


def _power(base: Number, exponent: Number) -> Number:
    """A power whose size is known before it is worked out."""
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        if abs(base) > 1:
            raise _too_large()
        exponent = exponent % 2 + 2  # of 1 and -1 only whether it is even counts
    return _bounded(operator.pow(base, exponent))


def _bounded(value: Number) -> Number:
    if isinstance(value, complex):
        raise ValueError("it has no real value")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise _too_large()
    if isinstance(value, float) and not math.isfinite(value):
        raise _too_large()
    return value


def _too_large() -> ToolArgumentError:
    return ToolArgumentError(f"The number is too large: more than {MAX_BITS:,} bits, or beyond the range of decimals.")
