"""Mutants of Python functions: one small change each, of the kinds that break integer arithmetic.

    comparison    >= to >, < to <=, == to != ... and back
    rounding      one branch of a conditional expression for both: floor for toward zero
    shift         a right or left shift by one bit more
    saturation    min and max for each other
    sign          + for -, a minus dropped
    constant      n + 1 for n
    order         two neighbouring assignments change places
    deletion      an assignment left out
    condition     `not` before a test; `and` for `or`
    mask          | for &
"""

import ast
import copy
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

FLIPS = {ast.GtE: ast.Gt, ast.Gt: ast.GtE, ast.LtE: ast.Lt, ast.Lt: ast.LtE, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
SIGNS: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
Edit = Callable[[Any], None]


class Mutant(NamedTuple):
    """A module's tree with one change in it."""

    function: str
    line: int
    kind: str
    before: str
    after: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.function}, line {self.line}, {self.kind}: {self.before}  ->  {self.after}"


def mutants(source: str, functions: Collection[str]) -> Iterator[Mutant]:
    """Every mutant of these functions (all top-level ones of that name) of a module's source."""
    tree = ast.parse(source)
    for number, top in enumerate(tree.body):
        if isinstance(top, ast.FunctionDef) and top.name in functions:
            nodes = list(ast.walk(top))
            for k, node in enumerate(nodes):
                for kind, edit in edits(node, is_docstring(top, node)):
                    changed = copy.deepcopy(tree)
                    again = list(ast.walk(changed.body[number]))[k]
                    edit(again)
                    ast.fix_missing_locations(changed)
                    before, after = (shown(n) for n in (node, again))
                    if before != after:
                        yield Mutant(top.name, node.lineno, kind, before, after, changed)


def is_docstring(top: ast.FunctionDef, node: ast.AST) -> bool:
    return bool(top.body) and node is top.body[0] and isinstance(node, ast.Expr)


def shown(node: ast.AST) -> str:
    text = ast.unparse(node).replace("\n", "; ")
    return text if len(text) <= 70 else f"{text[:67]}..."


def edits(node: ast.AST, docstring: bool) -> Iterator[tuple[str, Edit]]:
    """(kind, what changes a copy of the node) for all that applies to it."""
    if docstring:
        return
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in FLIPS:
                yield "comparison", lambda n, i=i, op=op: n.ops.__setitem__(i, FLIPS[type(op)]())
    if isinstance(node, ast.BinOp | ast.AugAssign):
        yield from arithmetic(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield "saturation", lambda n: setattr(n.func, "id", "max" if n.func.id == "min" else "min")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.IfExp):
        yield "rounding", lambda n: setattr(n, "orelse", n.body)
        yield "rounding", lambda n: setattr(n, "body", n.orelse)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "constant", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield "condition", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.BoolOp):
        yield "condition", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield from statements(block, field)


def arithmetic(node: Any) -> Iterator[tuple[str, Edit]]:
    side = "right" if isinstance(node, ast.BinOp) else "value"
    if type(node.op) in SIGNS:
        yield "sign", lambda n: setattr(n, "op", SIGNS[type(n.op)]())
    if isinstance(node.op, ast.RShift | ast.LShift):
        yield "shift", lambda n: setattr(n, side, ast.BinOp(getattr(n, side), ast.Add(), ast.Constant(1)))
    if isinstance(node.op, ast.BitAnd):
        yield "mask", lambda n: setattr(n, "op", ast.BitOr())


def statements(block: list[ast.stmt], field: str) -> Iterator[tuple[str, Edit]]:
    moves = ast.Assign | ast.AugAssign
    for i, statement in enumerate(block):
        if isinstance(statement, moves):
            yield "deletion", lambda n, i=i: getattr(n, field).__setitem__(i, ast.Pass())
            if i + 1 < len(block) and isinstance(block[i + 1], moves) and depend(statement, block[i + 1]):
                yield "order", lambda n, i=i: swap(getattr(n, field), i)


def depend(a: ast.stmt, b: ast.stmt) -> bool:
    """Whether one assignment reads or writes what the other writes: otherwise no order can be told from the other."""
    read, written = zip(*(touched(statement) for statement in (a, b)), strict=True)
    return bool(written[0] & (read[1] | written[1]) | written[1] & read[0])


def touched(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names and attributes that a statement reads, and those that it writes (an array stands for its entries)."""
    read, written = set(), set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name | ast.Attribute):
            (written if isinstance(node.ctx, ast.Store) else read).add(ast.unparse(node))
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            written.add(ast.unparse(node.value))
    if isinstance(statement, ast.AugAssign):
        read |= written
    return read, written


def swap(block: list[ast.stmt], i: int) -> None:
    block[i], block[i + 1] = block[i + 1], block[i]
