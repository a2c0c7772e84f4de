# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What was predicted of a source: a folder that turns into files of other programs."""

import base64
import html
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.picture_set import SHEET
from mmkp.apis.record_file import KEYPOINTS
from mmkp.apis.run_folders import MARK
from mmkp.datasets.sides import pairs_of_partners
from mmkp.labels import LabelSet, read_json

#: Formats of the command's ``-f`` and the files that they are written to.
FORMAT_FILES = {
    'json': KEYPOINTS,
    'csv': 'keypoints.csv',
    'coco': 'coco.json',
    'coco-results': 'coco_results.json',
    'dlc': 'dlc.csv',
    'dlc-h5': 'dlc.h5',
    'slp': 'keypoints.slp',
    'sleap-h5': 'keypoints.analysis.h5',
    'lightning': 'lightning.csv',
    'yolo': 'yolo',
    'labelstudio': 'labelstudio.json',
    'cvat': 'cvat.xml',
    'nwb': 'keypoints.nwb',
    'openpose': 'openpose',
}


class Predictions:
    """The keypoints of a source, as :func:`mmkp.predict` has written them.

    Iterating gives a dict for each image, as in ``keypoints.json``.

    Args:
        path: folder of the result.
        figures: of what was done, by default those that its ``run.json`` holds.

    Raises:
        FileNotFoundError: there are no keypoints in it.
    """

    def __init__(self, path: str | Path, figures: dict[str, Any] | None = None) -> None:
        self.path, self._figures = Path(path), figures
        if not (self.path / KEYPOINTS).is_file():
            raise FileNotFoundError(f"'{path}' holds no {KEYPOINTS}")

    @cached_property
    def content(self) -> dict[str, Any]:
        """What ``keypoints.json`` says, see :func:`mmkp.apis.predict_files`."""
        return read_json(str(self.path / KEYPOINTS), dict)

    @property
    def figures(self) -> dict[str, Any]:
        """Rates, and jitter, lag and exchanged sides of films that were smoothed."""
        path = self.path / MARK
        known = read_json(str(path), dict) if path.is_file() else {}
        return self._figures or known.get('figures', {})

    def __len__(self) -> int:
        return len(self.content['images'])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.content['images'])

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.content['images'][index]

    @property
    def labels(self) -> LabelSet:
        """All keypoints as arrays; points that were not found are NaN."""
        return labels_of(self.content)

    def write(self, path: str | Path, format: str) -> Path:
        """Write the keypoints for another program.

        Args:
            path: file, or folder of formats that have a file for each image.
            format: one of ``FORMAT_FILES``.

        Returns:
            The path.

        Raises:
            ValueError: unknown format.
        """
        from mmkp import labels  # its writers bring the libraries of other programs

        if format not in FORMAT_FILES:
            known = ', '.join(FORMAT_FILES)
            raise ValueError(f"'{format}' is no format of files; there are {known}")
        if format == 'json':
            raise ValueError(f'{KEYPOINTS} is there already, in {self.path}')
        labels.write_labels(self.labels, path, format)  # type: ignore[attr-defined]
        return Path(path)

    def to_csv(self, path: str | Path) -> Path:
        """Write a plain table: a row a keypoint, named columns."""
        return self.write(path, 'csv')

    def to_coco(self, path: str | Path) -> Path:
        """Write COCO's annotations."""
        return self.write(path, 'coco')

    def to_dlc(self, path: str | Path) -> Path:
        """Write DeepLabCut's csv, or h5 by the suffix."""
        is_h5 = Path(path).suffix.lower() in ('.h5', '.hdf5')
        return self.write(path, 'dlc-h5' if is_h5 else 'dlc')

    def to_slp(self, path: str | Path) -> Path:
        """Write SLEAP's labels."""
        return self.write(path, 'slp')

    def to_openpose(self, path: str | Path) -> Path:
        """Write a folder of OpenPose's json files, as its ``--write_json`` does."""
        return self.write(path, 'openpose')

    def to_nwb(self, path: str | Path) -> Path:
        """Write Neurodata Without Borders, by ndx-pose."""
        return self.write(path, 'nwb')

    def __repr__(self) -> str:
        number = len(self.content['images'])
        return f'Predictions({str(self.path)!r}: {number} images)'

    def _repr_html_(self) -> str:
        told = [f'<p><b>{html.escape(repr(self))}</b></p>']
        sheet = self.path / SHEET
        pictures = [sheet] if sheet.is_file() else []
        for record in self.content['images'][:6]:
            path = self.path / record.get('picture', '')
            if path.suffix.lower() in ('.png', '.jpg', '.jpeg') and not sheet.is_file():
                pictures.append(path)
        for path in pictures:
            kind = 'png' if path.suffix.lower() == '.png' else 'jpeg'
            content = base64.b64encode(path.read_bytes()).decode()
            told.append(
                f'<img style="max-height:300px" alt="{html.escape(path.name)}" '
                f'src="data:image/{kind};base64,{content}">'
            )
        rows = _flat(self.figures)
        cells = ''.join(
            f'<tr><td>{html.escape(name)}</td><td>{html.escape(str(value))}</td></tr>'
            for name, value in rows
        )
        return ''.join([*told, f'<table>{cells}</table>' if cells else ''])


def labels_of(content: dict[str, Any]) -> LabelSet:
    """Turn what a file of keypoints says into arrays.

    Args:
        content: of ``keypoints.json``.

    Returns:
        The labels; points that are null or have the score 0 are missing.
    """
    records, number = content['images'], content['num_keypoints']
    found = [
        (i, one) for i, record in enumerate(records) for one in record['instances']
    ]
    points = np.array([one['keypoints'] for _, one in found], float)
    points = points.reshape(-1, number, 2)
    scores = np.array([one['keypoint_scores'] for _, one in found], float)
    scores = scores.reshape(-1, number)
    points[~(scores > 0)] = np.nan
    boxes = np.array([one['bbox'] for _, one in found], float).reshape(-1, 4)
    is_film = bool(records) and all('time' in record for record in records)
    source = Path(content.get('source', ''))
    names = content.get('keypoint_names') or [str(index) for index in range(number)]
    partners = content.get('flip_indices', [])
    return LabelSet(
        keypoint_names=list(names),
        image_names=[record['image'] for record in records],
        image_index=np.array([index for index, _ in found], np.int64),
        keypoints=points,
        scores=scores,
        boxes=boxes,
        individuals=[one.get('track', '') for _, one in found],
        image_sizes=np.array(
            [[record['width'], record['height']] for record in records], np.int64
        ).reshape(-1, 2),
        times=np.array([r['time'] for r in records]) if is_film else None,
        links=[(a, b) for a, b in content.get('links', [])],
        swaps=[(i, j) for i, j in pairs_of_partners(partners)],
        root=source if source.is_dir() else source.parent,
        film=source if is_film and source.is_file() else None,
        frames_per_second=float(content.get('frames_per_second') or 0.0),
    )


def _flat(values: dict[str, Any], before: str = '') -> Sequence[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        title = f'{before} {name}'.strip()
        rows += _flat(value, title) if isinstance(value, dict) else [(title, value)]
    return rows
