# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether a file finds the keypoints that its model finds in PyTorch."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

#: Pixels of the network input that a float32 file may differ by.
TOLERANCE = 1e-3
# Gray levels, of 256, by which pixels are changed, and how often, to find out what
# hangs in the balance: the highest cell of a map where two are equal but for rounding.
_NUDGE, _NUDGES = 0.1, 8

Run = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]


class ExportDifferenceError(ValueError):
    """A file finds other keypoints than its model."""


@dataclass
class NetworkInput:
    """A picture as the test pipeline hands it to the model.

    Attributes:
        name: of the picture.
        packed: what the pipeline made: ``inputs``, a tensor (3, H, W) of BGR pixels,
            and ``data_samples``.
    """

    name: str
    packed: dict[str, Any]

    @property
    def pixels(self) -> Tensor:
        """BGR, 0 to 255, (3, H, W) float32."""
        pixels: Tensor = self.packed['inputs']
        return pixels.float()


@dataclass
class Difference:
    """How far a file's keypoints lie from those of its model.

    Attributes:
        file: its name.
        largest: distance in pixels of the network input, ties left out.
        mean: likewise.
        scores: largest difference of scores.
        pictures: number that were compared.
        keypoints: number that were compared.
        ties: number of keypoints that PyTorch itself moves as far when pixels change
            by a tenth of a gray level.
    """

    file: str
    largest: float
    mean: float
    scores: float
    pictures: int
    keypoints: int
    ties: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def __str__(self) -> str:
        tied = f', {self.ties} ties left out' if self.ties else ''
        return (
            f'{self.file}: keypoints differ from PyTorch by at most {self.largest:.2g} '
            f'px of the network input, {self.mean:.2g} in the mean, scores by '
            f'{self.scores:.2g} ({self.keypoints} keypoints of {self.pictures} '
            f'pictures{tied})'
        )


def model_objects(
    model: Any, inputs: Sequence[NetworkInput], noise: Tensor | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the model itself predicts, in pixels of the network input.

    Args:
        model: of :func:`mmkp.apis.load_model`.
        inputs: of one size.
        noise: added to the pixels, (N, 3, H, W).

    Returns:
        Of each picture the keypoints of its objects (N, K, 2) and their scores (N, K).
    """
    batch = pseudo_collate([deepcopy(one.packed) for one in inputs])
    if noise is not None:
        batch['inputs'] = [a.pixels + b for a, b in zip(inputs, noise, strict=True)]
    with torch.no_grad():
        data = model.data_preprocessor(batch, False)
        height, width = inputs[0].pixels.shape[-2:]
        size = np.array([width, height], np.float64)
        # By these, MMPose's way back to the image leaves network pixels as they are.
        here = dict(input_size=(width, height), input_center=size / 2, input_scale=size)
        for sample in data['data_samples']:
            sample.set_metainfo(dict(here, input_rotation=0.0))
        found = [one.pred_instances for one in model.predict(**data)]
    return [
        (
            np.asarray(one.keypoints, np.float64),
            np.asarray(one.keypoint_scores, np.float64),
        )
        for one in found
    ]


def model_keypoints(
    model: Any, inputs: Sequence[NetworkInput], noise: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The same of a model that finds one object a picture.

    Args:
        model: see :func:`model_objects`.
        inputs: N of one size.
        noise: added to the pixels, (N, 3, H, W).

    Returns:
        Keypoints (N, K, 2) and scores (N, K).
    """
    keypoints, scores = zip(*model_objects(model, inputs, noise), strict=True)
    return np.concatenate(keypoints), np.concatenate(scores)


def nudges(inputs: Sequence[NetworkInput]) -> Iterator[Tensor]:
    """Changes of pixels that no one sees, (N, 3, H, W), the same each time.

    Args:
        inputs: N of one size.
    """
    draw = torch.Generator().manual_seed(0)
    shape = (len(inputs), *inputs[0].pixels.shape)
    for _ in range(_NUDGES):
        yield (torch.rand(shape, generator=draw) * 2 - 1) * _NUDGE


def graph_images(
    model: Any, inputs: Sequence[NetworkInput], normalized_inside: bool
) -> np.ndarray:
    """The images that a graph takes.

    Args:
        model: with its data preprocessor.
        inputs: N of one size.
        normalized_inside: whether the graph normalizes itself.

    Returns:
        (N, 3, H, W) float32.
    """
    if normalized_inside:
        return torch.stack([one.pixels for one in inputs]).numpy()
    batch = pseudo_collate([deepcopy(one.packed) for one in inputs])
    images: Tensor = model.data_preprocessor(batch, False)['inputs']
    return images.numpy()


def compare_keypoints(
    run: Run,
    file: str,
    model: Any,
    inputs: Sequence[NetworkInput],
    normalized_inside: bool = True,
    tolerance: float | None = TOLERANCE,
) -> Difference:
    """Compare a file with its model, the first picture alone and the others at once.

    Where a position jumps, to the higher of two cells that are equal but for rounding,
    no tolerance in pixels can tell right from wrong. So what differs is asked again:
    PyTorch predicts the same pictures with pixels changed by up to .1 gray levels at
    random, eight times; a keypoint that it then moves at least as far as the file did
    is a tie. It is counted, and left out.

    Args:
        run: the file, from ``images`` to ``keypoints`` and ``keypoint_scores``.
        file: its name, for messages.
        model: in PyTorch.
        inputs: pictures of one size.
        normalized_inside: whether the graph normalizes itself.
        tolerance: pixels of the network input that are allowed, None for any.

    Returns:
        What was measured.

    Raises:
        ExportDifferenceError: keypoints differ by more.
    """
    distances, scores, tied = [], [], []
    for batch in filter(len, (inputs[:1], inputs[1:])):
        images = graph_images(model, batch, normalized_inside)
        found = run({'images': images})
        keypoints, confidence = model_keypoints(model, batch)
        answer = found['keypoints'].astype(np.float64)
        distance = _distance(file, answer, keypoints)
        ties = np.zeros(distance.shape, bool)
        if tolerance is not None and not (distance <= tolerance).all():
            ties = _ties(model, batch, keypoints, distance, tolerance)
        distances.append(distance)
        scores.append(np.abs(found['keypoint_scores'] - confidence))
        tied.append(ties)
    distance, ties = np.concatenate(distances), np.concatenate(tied)
    if tolerance is not None:
        _refuse(file, inputs, np.where(ties, 0, distance), tolerance)
    kept = distance[~ties]
    return Difference(
        file,
        float(kept.max(initial=0)),
        float(kept.mean()) if kept.size else 0.0,
        float(np.concatenate(scores).max()),
        len(inputs),
        int(distance.size),
        int(ties.sum()),
    )


def _distance(file: str, found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    if found.shape != expected.shape:
        raise ExportDifferenceError(
            f'{file} gives keypoints of shape {found.shape}, PyTorch {expected.shape}'
        )
    distance: np.ndarray = np.linalg.norm(found - expected, axis=-1)
    return distance


def _ties(
    model: Any,
    inputs: Sequence[NetworkInput],
    keypoints: np.ndarray,
    distance: np.ndarray,
    tolerance: float,
) -> np.ndarray:
    """Where PyTorch moves as far as the file when pixels change a little, (N, K)."""
    asked = ~(distance <= tolerance)
    ties = np.zeros_like(asked)
    for noise in nudges(inputs):
        nudged, _ = model_keypoints(model, inputs, noise)
        ties |= asked & (distance <= np.linalg.norm(nudged - keypoints, axis=-1))
        if (ties == asked).all():
            break
    return ties


def _refuse(
    file: str, inputs: Sequence[NetworkInput], distance: np.ndarray, tolerance: float
) -> None:
    """Raise where a keypoint lies elsewhere, by the worst of them."""
    wrong = ~(distance <= tolerance)
    if not wrong.any():
        return
    row, keypoint = np.unravel_index(
        np.argmax(np.nan_to_num(distance, nan=np.inf)), distance.shape
    )
    raise ExportDifferenceError(
        f"{file}: keypoint {keypoint} of '{inputs[int(row)].name}' lies "
        f'{distance[row, keypoint]:.3g} px of the network input from where PyTorch '
        f'finds it, more than {tolerance:g} px ({wrong.sum()} of {wrong.size} '
        'keypoints do): the file is not written'
    )
