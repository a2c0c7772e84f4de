"""MATLAB files of Leeds Sports Pose and FLIC."""

import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from fuzzing.mutations import Random, array, chance, choose, damaged_bytes
from fuzzing.target import Target

_TOOLS = Path(__file__).parents[3] / 'tools' / 'dataset_converters'


def _tool(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, _TOOLS / f'{name}.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_LSP, _FLIC = _tool('lsp_to_coco'), _tool('flic_to_coco')


def _saved(**variables: Any) -> bytes:
    buffer = io.BytesIO()
    packed = bool(variables.pop('packed', False))
    savemat(buffer, variables, do_compression=packed)
    return buffer.getvalue()


def _examples(coords: Any, torso: Any, count: int = 2) -> np.ndarray:
    fields = ('filepath', 'coords', 'torsobox', 'imgdims', 'istrain', 'istest')
    examples = np.empty((1, count), [(field, object) for field in fields])
    for index in range(count):
        examples[0, index] = ('a.jpg', coords, torso, [30, 40, 3], 1, 0)
    return examples


_SEEDS = {
    'lsp': [_saved(joints=np.ones((3, 14, 2))), _saved(joints=np.ones((14, 3, 2)))],
    'flic': [
        _saved(examples=_examples(np.ones((2, 29)), [1, 2, 3, 4])),
        _saved(examples=_examples(np.ones((2, 29)), [1, 2, 3, 4]), packed=True),
    ],
}


def _make(rng: Random) -> tuple[str, bytes]:
    kind = choose(rng, ('lsp', 'flic'))
    if chance(rng, 0.8):
        return kind, damaged_bytes(rng, choose(rng, _SEEDS[kind]))
    values = array(rng, (3, 14, 2)), array(rng, (2, 29)), array(rng, (4,))
    try:
        if kind == 'lsp':
            return kind, _saved(joints=values[0])
        return kind, _saved(examples=_examples(values[1], values[2]))
    except (TypeError, ValueError):  # of a type that MATLAB does not have
        return kind, b''


def _use(case: tuple[str, bytes], folder: Path) -> None:
    kind, content = case
    path = folder / 'joints.mat'
    path.write_bytes(content)
    if kind == 'lsp':
        table = _LSP.load_official(path, folder)
        if not np.isfinite(table.joints[table.labeled]).all():
            raise AssertionError('labelled joints are not finite')
        return
    for example in _FLIC.load_examples(path):
        _FLIC.split_of(example)


TARGETS = {'matlab': Target(_make, _use)}
