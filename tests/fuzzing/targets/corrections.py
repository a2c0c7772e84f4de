"""What the page of a run writes."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import STRANGE, Random, chance, choose, number
from fuzzing.target import Target
from mmkp.apis.corrections import read_corrections
from mmkp.apis.run import Run

_KEYS = ('index', 'name', 'dropped', 'merged_into', 'partner')


def _strange(rng: Random) -> Any:
    return choose(rng, (number(rng), choose(rng, STRANGE), None, [], {}, -1, 2))


def _make(rng: Random) -> dict[str, Any]:
    keypoints: list[Any] = [
        dict(zip(_KEYS, (i, None, False, None, None), strict=True)) for i in range(3)
    ]
    moved: dict[str, Any] = {'0': [1.5, 2.0]}
    instance: dict[str, Any] = dict(index=0, corrected=moved, hidden=[1])
    image: dict[str, Any] = dict(image='a.png', bad=False, instances=[instance])
    content: dict[str, Any] = dict(
        format='mmkp corrections', version=1, keypoints=keypoints, images=[image]
    )
    for _ in range(int(rng.integers(4))):
        part = choose(rng, (*keypoints, moved, instance, image, content))
        if isinstance(part, dict) and part:
            key = choose(rng, tuple(part))
            part[key] = _strange(rng)
            if chance(rng, 0.2):
                del part[key]
    return content


def _use(content: dict[str, Any], folder: Path) -> None:
    instance = dict(keypoints=[[1, 2], [3, 4], [5, 6]], bbox=[0, 0, 9, 9])
    record = dict(image='a.png', width=9, height=9, instances=[instance])
    known = dict(num_keypoints=3, images=[record])
    (folder / 'keypoints.json').write_text(json.dumps(known))
    run = Run.create(folder, 'discover', source=str(folder))
    path = folder / 'corrections.json'
    path.write_text(json.dumps(content))
    found = read_corrections(path, run)
    if found.weights.shape != (3, len(found.labels.keypoint_names)):
        raise AssertionError('other numbers of names than of keypoints')
    if not np.isfinite(found.weights).all():
        raise AssertionError('weights are not finite')


TARGETS = {'corrections': Target(_make, _use, 2.0)}
