"""calculate: arithmetic on decimal numbers, exact to 28 digits. It evaluates a few operators, never Python."""

import ast
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Annotated

from msgspec import Meta

from plinth.contracts.tools import ToolOutcome
from plinth.tools.tool import Arguments, Effect, Surroundings, Tool, ToolFailedError

_CONTEXT = Context(prec=28, Emax=999, Emin=-999, traps=[DivisionByZero, InvalidOperation, Overflow])
_OPERATORS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: _CONTEXT.add,
    ast.Sub: _CONTEXT.subtract,
    ast.Mult: _CONTEXT.multiply,
    ast.Div: _CONTEXT.divide,
    ast.Pow: _CONTEXT.power,
}


class CalculateArguments(Arguments):
    """A formula."""

    expression: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="Numbers with + - * / ** ( ), abs, max, min, round, sqrt."),
    ]


def calculate(given: CalculateArguments, _surroundings: Surroundings) -> ToolOutcome:
    """Return the value of the formula."""
    try:
        text = given.expression.strip()
        value = _CONTEXT.plus(_value(ast.parse(text, mode="eval").body, text)).normalize(_CONTEXT)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise ToolFailedError("the expression is no formula of numbers, + - * / ** ( ) and known functions") from error
    except DecimalException as error:
        raise ToolFailedError(f"the expression has no value: {type(error).__name__}") from error
    return ToolOutcome(text=f"{value:f}" if abs(value.adjusted()) < _CONTEXT.prec else f"{value}")


def _value(node: ast.expr, text: str) -> Decimal:
    match node:
        case ast.Constant(value=int() | float()):
            return _CONTEXT.create_decimal((ast.get_source_segment(text, node) or "").replace("_", ""))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, text), _value(right, text))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _call(name, [_value(each, text) for each in args])
        case _:
            raise ValueError(type(node).__name__)


def _call(name: str, given: list[Decimal]) -> Decimal:
    match name, given:
        case "abs", [number]:
            return number.copy_abs()
        case "max", [_, *_]:
            return max(given)
        case "min", [_, *_]:
            return min(given)
        case "round", [number]:
            return number.quantize(Decimal(1), context=_CONTEXT)
        case "round", [number, digits]:
            return number.quantize(Decimal(1).scaleb(-int(digits), _CONTEXT), context=_CONTEXT)
        case "sqrt", [number]:
            return number.sqrt(_CONTEXT)
        case _:
            raise ValueError(name)


CALCULATE = Tool(
    name="calculate",
    description="Evaluate an arithmetic expression exactly. Use it for every calculation.",
    arguments=CalculateArguments,
    effect=Effect.READ,
    timeout_seconds=1.0,
    work=calculate,
)
