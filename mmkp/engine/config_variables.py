"""Reading a config with other values of its variables."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkp.compat.config_files import edited_configs
from mmkp.engine.option_values import meant_value


class Variables:
    """Sets variables that a config, or one that it inherits from, assigns a literal.

    ``num_keypoints = 10`` at the top level of a file is read as if another literal
    stood there, so that whatever the file makes of it follows.

    Args:
        values: name -> value.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self._literal: set[str] = set()
        self._computed: set[str] = set()
        self._used: set[str] = set()

    @property
    def taken(self) -> set[str]:
        """Names that had the effect that was asked for."""
        return (self._literal & self._used) - self._computed

    def edit(self, text: str, filename: str) -> str:
        """Replace the literals in the text of a config."""
        if not filename.endswith('.py'):
            return text
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return text  # which is told where the file is read
        self._used |= {name for name in self.values if _is_used(tree, text, name)}
        spans = []
        for node in tree.body:
            for name in self._assigned(node):
                found = self._literal_of(node, name)
                if found is None:
                    self._computed.add(name)
                    continue
                self._literal.add(name)
                new = meant_value(self.values[name], ast.literal_eval(found))
                spans.append((found, repr(new)))
        return _replaced(text, spans)

    def _assigned(self, node: ast.stmt) -> set[str]:
        """Which of the names a statement sets, at whatever depth."""
        return {
            target.id
            for target in ast.walk(node)
            if isinstance(target, ast.Name)
            and isinstance(target.ctx, ast.Store | ast.Del)
            and target.id in self.values
            and not isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not _is_of_a_comprehension(node, target.id)
        }

    @staticmethod
    def _literal_of(node: ast.stmt, name: str) -> ast.expr | None:
        """The literal that a statement assigns to just this name."""
        targets = getattr(node, 'targets', [getattr(node, 'target', None)])
        simple = isinstance(node, ast.Assign | ast.AnnAssign) and len(targets) == 1
        value = getattr(node, 'value', None)
        if not simple or value is None or not isinstance(targets[0], ast.Name):
            return None
        try:
            ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        return value if targets[0].id == name else None


def read_config(path: Path, values: Mapping[str, Any]) -> tuple[Config, set[str]]:
    """Read a config with other values of its variables.

    Args:
        path: the file.
        values: name of a variable -> value.

    Returns:
        The config, and the names of the variables that could be set.
    """
    variables = Variables(values)
    with edited_configs(variables.edit):
        cfg = Config.fromfile(path)
    return cfg, variables.taken


def _is_used(tree: ast.Module, text: str, name: str) -> bool:
    if f'_base_.{name}' in text:
        return True
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        for node in ast.walk(tree)
    )


def _is_of_a_comprehension(statement: ast.stmt, name: str) -> bool:
    """Whether a name is that of a loop within an expression, which ends with it."""
    loops = [n for n in ast.walk(statement) if isinstance(n, ast.comprehension)]
    inside = [
        n
        for loop in loops
        for n in ast.walk(loop.target)
        if isinstance(n, ast.Name) and n.id == name
    ]
    stores = [
        n
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
    ]
    return bool(inside) and len(inside) == len(stores)


def _replaced(text: str, spans: list[tuple[ast.expr, str]]) -> str:
    """Put other text in the place of expressions."""
    # Columns count bytes; line ends have become line feeds.
    lines = [line.encode() for line in text.split('\n')]
    spans = sorted(spans, key=lambda span: (span[0].lineno, span[0].col_offset))
    for node, new in reversed(spans):
        end = node.end_lineno or node.lineno
        before = lines[node.lineno - 1][: node.col_offset]
        after = lines[end - 1][node.end_col_offset :]
        lines[node.lineno - 1 : end] = [before + new.encode() + after]
    return b'\n'.join(lines).decode()
