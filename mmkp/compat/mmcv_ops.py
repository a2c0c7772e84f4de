"""mmcv-lite, which lacks the compiled operators that MMPose and MMDetection import."""

import ast
import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any, NoReturn

INSTALL_COMMAND = (
    'pip uninstall -y mmcv-lite && '
    'MMCV_WITH_OPS=1 pip install --no-build-isolation --no-binary mmcv "mmcv==2.1.0"'
)


class MissingCompiledOp:
    """Stands for one operator of mmcv that has not been compiled.

    It can be imported, subclassed and used with ``isinstance``; constructing or
    calling it raises.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        name = type(self).__name__
        raise RuntimeError(
            f'{name} needs an operator compiled in mmcv.ops, and the installed '
            'mmcv-lite has none of them. Install the full mmcv (it is compiled for '
            'the installed torch, which needs a C++ compiler and most of an hour): '
            f'{INSTALL_COMMAND}'
        )


def provide_mmcv_ops() -> bool:
    """Make the names of ``mmcv.ops`` importable where nothing is compiled.

    ``mmpose.models`` and ``mmdet.models`` import ``mmcv.ops`` unconditionally for a
    few heads, so that mmcv-lite alone cannot import any model. The stand-in offers
    exactly the names that the installed ``mmcv.ops`` defines: those written in pure
    Python are the real ones, those that need the compiled library are
    :class:`MissingCompiledOp`.

    Upstream: open-mmlab/mmpose#3250, open-mmlab/mmcv#3319,
    open-mmlab/mmdetection#11611.

    Returns:
        Whether the stand-in had to be installed.
    """
    mmcv = importlib.util.find_spec('mmcv')
    if mmcv is None or not mmcv.submodule_search_locations:
        return False
    if 'mmcv.ops' in sys.modules or importlib.util.find_spec('mmcv._ext'):
        return False
    folder = Path(mmcv.submodule_search_locations[0], 'ops')
    if not (folder / '__init__.py').is_file():
        return False
    package = _MmcvOps(folder)
    sys.modules['mmcv.ops'] = package
    sys.modules['mmcv'].ops = package  # type: ignore[attr-defined]
    for path in sorted(folder.glob('*.py')):
        source = path.read_text(encoding='utf-8')
        if 'ext_loader.load_ext' in source:
            name = f'mmcv.ops.{path.stem}'
            members = package.public_members(name) | _defined_names(source)
            sys.modules[name] = _placeholder_module(name, members)
    _complete_mmcv_cnn(package)
    return True


class _MmcvOps(types.ModuleType):
    """``mmcv.ops`` whose names are resolved on first use, since few are ever used."""

    def __init__(self, folder: Path) -> None:
        super().__init__('mmcv.ops', 'Stand-in for mmcv.ops without compiled code.')
        self.__path__ = [str(folder)]
        source = (folder / '__init__.py').read_text(encoding='utf-8')
        self._origin = {
            alias.asname or alias.name: (f'mmcv.ops.{node.module}', alias.name)
            for node in ast.parse(source).body
            if isinstance(node, ast.ImportFrom) and node.level == 1
            for alias in node.names
        }
        self.__all__ = sorted(self._origin)

    def public_members(self, module_name: str) -> set[str]:
        """Return what ``mmcv.ops`` takes from one of its modules."""
        return {
            member for module, member in self._origin.values() if module == module_name
        }

    def __getattr__(self, name: str) -> Any:
        if name not in self._origin:
            raise AttributeError(f'module mmcv.ops has no attribute {name!r}')
        module_name, member = self._origin[name]
        try:
            value = getattr(importlib.import_module(module_name), member)
        except ModuleNotFoundError as error:
            if error.name != 'mmcv._ext':
                raise
            value = _placeholder(module_name, member)
        # Importing a submodule binds it here under its own name, which for `nms`
        # and others is also the name of the operator: the operator wins.
        setattr(self, name, value)
        return value


def _placeholder(module_name: str, name: str) -> Any:
    if name in ('get_compiler_version', 'get_compiling_cuda_version'):
        return lambda: 'not compiled'
    return type(name, (MissingCompiledOp,), {'__module__': module_name})


def _placeholder_module(name: str, members: set[str]) -> types.ModuleType:
    module = types.ModuleType(name, 'Stand-in for operators that are not compiled.')
    for member in members:
        setattr(module, member, _placeholder(name, member))
    return module


def _defined_names(source: str) -> set[str]:
    """Names of operators: classes, functions, or ``roi_align = RoIAlign.apply``."""
    pattern = r'^(?:class |def )?(\w+)(?:\(|:| = \w+\.apply\b)'
    return set(re.findall(pattern, source, flags=re.MULTILINE))


def _complete_mmcv_cnn(package: types.ModuleType) -> None:
    """Add the name that an mmcv.cnn imported before this shim could not import."""
    transformer = sys.modules.get('mmcv.cnn.bricks.transformer')
    if transformer is not None:
        transformer.MultiScaleDeformableAttention = (  # type: ignore[attr-defined]
            package.MultiScaleDeformableAttention
        )
