# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The text of a config that a checkpoint carries: read as data, never run.

Given weights without a config, MMEngine's inferencers run the text that they find in
the file (``BaseInferencer._init_model``), and resuming runs that of MMCV's checkpoints
(``Runner.resume``). On import this replaces ``Config.fromstring`` for MMEngine and its
family; whoever else calls it hands over text of their own and gets what they got.
"""

import ast
import sys
from contextlib import suppress
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmkp.engine.checkpoint import TRUST_VARIABLE, UntrustedCheckpointError, is_trusted
from mmkp.engine.config_types import FAMILY, raise_if_unsafe

_run_text = Config.fromstring
_NAMED_NUMBERS = {'inf': float('inf'), 'nan': float('nan')}


def literal_config(text: str) -> Config:
    """Read the config that a checkpoint carries.

    Args:
        text: assignments of literals and of ``dict(...)``, as MMEngine writes them.

    Returns:
        The config. Modules of its ``custom_imports`` are not imported.

    Raises:
        UntrustedCheckpointError: the text does more, or names types that are not
            registered.
    """
    try:
        if not isinstance(text, str):
            raise ValueError(f'it is a {type(text).__name__}')
        values = dict(_assignment(node) for node in ast.parse(text).body)
        raise_if_unsafe(values)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise UntrustedCheckpointError(
            'the config inside the checkpoint is more than settings '
            f'({str(error) or type(error).__name__}), and running it could do anything '
            'on this machine: give the config file of the model beside the checkpoint, '
            f'or, if you trust whoever made it, set {TRUST_VARIABLE}=1'
        ) from error
    _tell_imports(values.pop('custom_imports', None))
    return Config(values)


def _assignment(node: ast.stmt) -> tuple[str, Any]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id != '_base_':
            with suppress(ValueError, TypeError):
                return target.id, ast.literal_eval(_AsLiterals().visit(node.value))
    raise ValueError(f'line {node.lineno}: {ast.unparse(node)[:80]}')


class _AsLiterals(ast.NodeTransformer):
    """Writes calls of ``dict``, ``inf`` and ``nan`` as literals; nothing is run."""

    def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        return (
            ast.Constant(_NAMED_NUMBERS[node.id]) if node.id in _NAMED_NUMBERS else node
        )

    def visit_Call(self, node: ast.Call) -> ast.expr:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id != 'dict':
            return node
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        given = [(None, value) for value in node.args]
        for name, value in [*given, *((k.arg, k.value) for k in node.keywords)]:
            if name is not None:
                keys.append(ast.Constant(name))
                values.append(value)
            elif isinstance(value, ast.Dict):
                keys += value.keys
                values += value.values
            else:
                return node
        return ast.Dict(keys, values)


def _tell_imports(custom_imports: Any) -> None:
    names = custom_imports.get('imports') if isinstance(custom_imports, dict) else []
    for name in [names] if isinstance(names, str) else names or []:
        if name not in sys.modules:
            print_log(
                f'the config inside the checkpoint wants {name!r:.80} to be imported, '
                'which was not done: import it yourself if you know it',
                'current',
            )


def _fromstring(cfg_str: str, file_format: str) -> Config:
    caller = sys._getframe(1).f_globals.get('__name__', '')
    if caller.partition('.')[0] not in FAMILY or is_trusted():
        return _run_text(cfg_str, file_format)
    return literal_config(cfg_str)


Config.fromstring = staticmethod(_fromstring)
