"""Label files of other programs: text, json, xml, HDF5, and folders of them."""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np

from fuzzing.mutations import Random, chance, choose, damaged_bytes, damaged_json
from fuzzing.target import Target
from mmkp.labels import FORMATS, LabelSet, read_labels, write_labels

_KEYPOINT = dict(dropped=False, merged_into=None, partner=None)
_CORRECTIONS = dict(
    format='mmkp corrections',
    version=1,
    keypoints=[
        dict(_KEYPOINT, index=0, name='left', partner=1),
        dict(_KEYPOINT, index=1, name=None, partner=0),
        dict(_KEYPOINT, index=2, name='c', dropped=True),
        dict(_KEYPOINT, index=3, name='d', merged_into=0),
    ],
    images=[
        dict(
            image='a.png',
            bad=False,
            instances=[dict(index=0, corrected={'0': [1, 2], '3': [3, 4]}, hidden=[3])],
        ),
    ],
)
_TEXT = ('json', 'coco', 'coco-results', 'labelstudio', 'dlc', 'csv', 'cvat')
_FOLDERS = ('yolo', 'openpose', 'dlc-project')
# NWB is left out: each of its files takes half a second, and is new in every run.
_HDF5 = ('slp', 'sleap-h5', 'dlc-h5')


@functools.cache
def _sound(name: str) -> dict[str, bytes]:
    """Files of a format, by their names."""
    labels = LabelSet(
        keypoint_names=['nose', 'tail'],
        image_names=['labeled-data/s/a.png', 'labeled-data/s/b.png'],
        image_index=np.array([0, 0, 1]),
        keypoints=np.array(
            [[[1, 2.5], [3, 4]], [[5, 6], [np.nan, np.nan]], [[7, 8], [9, 9]]]
        ),
        scores=np.full((3, 2), 0.5) if name != 'dlc-project' else None,
        boxes=np.array([[0, 0, 9, 9.0]] * 3),
        individuals=['one', 'two', 'one'],
        image_sizes=np.array([[20, 10]] * 2),
        links=[(0, 1)],
        swaps=[(0, 1)],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'x')
        write_labels(labels, path, name)
        if path.is_file():
            return {'': path.read_bytes()}
        return {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in sorted(path.rglob('*'))
            if file.is_file() and file.suffix != '.h5'
        }


def _damaged(rng: Random, content: bytes) -> bytes:
    """Damage json by its structure, and everything by its bytes."""
    if content[:1] in (b'{', b'[') and chance(rng, 0.7):
        return damaged_json(rng, json.loads(content))
    return damaged_bytes(rng, content)


def _make_text(rng: Random) -> tuple[str, dict[str, bytes]]:
    if chance(rng, 0.15):
        return 'corrections', {'': damaged_json(rng, _CORRECTIONS)}
    name = choose(rng, _TEXT)
    return name, {'': _damaged(rng, _sound(name)[''])}


def _make_folder(rng: Random) -> tuple[str, dict[str, bytes]]:
    name = choose(rng, _FOLDERS)
    files = dict(_sound(name))
    chosen = choose(rng, sorted(files))
    files[chosen] = _damaged(rng, files[chosen])
    return name, files


def _make_hdf5(rng: Random) -> tuple[str, dict[str, bytes]]:
    name = choose(rng, _HDF5)
    return name, {'': damaged_bytes(rng, _sound(name)[''])}


def _use(case: tuple[str, dict[str, bytes]], folder: Path) -> None:
    name, files = case
    path = folder / 'labels'
    if '' in files:
        path.write_bytes(files[''])
    for file, content in files.items():
        if file:
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            (path / file).write_bytes(content)
    labels = read_labels(path, name)
    _check(labels)
    if FORMATS['csv'].write is not None and len(labels):
        write_labels(labels, folder / 'out.csv', 'csv', overwrite=True)


def _check(labels: LabelSet) -> None:
    """Arrays have the shapes and values that LabelSet promises."""
    number, images = len(labels), len(labels.image_names)
    shape = (number, len(labels.keypoint_names))
    known = ~np.isnan(labels.keypoints).any(2)
    if labels.keypoints.shape != (*shape, 2) or labels.visibility.shape != shape:
        raise AssertionError('another number of points than names')
    if (
        number
        and not 0 <= labels.image_index.min() <= labels.image_index.max() < images
    ):
        raise AssertionError('an object of no image')
    if not np.isfinite(labels.keypoints[known]).all():
        raise AssertionError('points are not finite')
    if labels.boxes.shape != (number, 4) or labels.image_sizes.shape != (images, 2):
        raise AssertionError('boxes or sizes of another shape')
    if len(labels.individuals) != number:
        raise AssertionError('another number of individuals than objects')
    if labels.scores is not None and labels.scores.shape != shape:
        raise AssertionError('another number of scores than points')


TARGETS = {
    'label-text': Target(_make_text, _use, 1.0),
    'label-folder': Target(_make_folder, _use, 0.5),
    'label-hdf5': Target(
        _make_hdf5,
        _use,
        0.5,
        lambda: _use(('slp', _sound('slp')), Path(tempfile.mkdtemp())),
    ),
}
