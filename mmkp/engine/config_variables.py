"""Reading a config with other values of its variables."""

import ast
from collections.abc import Iterator, Mapping
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
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            return set()
        # Names of loops within an expression end with it.
        loops = [n.target for n in ast.walk(node) if isinstance(n, ast.comprehension)]
        of_loops = {id(name) for target in loops for name in ast.walk(target)}
        return {
            name.id
            for name in _names(node, ast.Store | ast.Del)
            if name.id in self.values and id(name) not in of_loops
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
    read = {node.id for node in _names(tree, ast.Load)}
    return name in read or f'_base_.{name}' in text


def _names(tree: ast.AST, context: Any) -> Iterator[ast.Name]:
    """Names within a tree that are read, or those that are set."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            yield node


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
