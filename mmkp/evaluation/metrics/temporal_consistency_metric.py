# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How well discovered keypoints follow optical flow from frame to frame."""

import functools
import os.path as osp
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.datasets.image_decoding import fetch_image
from mmkp.datasets.transforms.load_clip_frame import clip_frames
from mmkp.datasets.unlabeled_image_dataset import STANDS_IN
from mmkp.evaluation.functional import collapse_statistics, temporal_consistency

from .frame_flow import FrameFlow
from .predicted_keypoints import crop_of, predicted_keypoints


# No named tuple, which MMEngine would turn into a plain one when it gathers results.
@dataclass(frozen=True)
class _Frame:
    """One image: where it belongs, its keypoints and those of the control, its crop."""

    clip: tuple[str, str]
    number: int | None  # in the clip; by the name of the file when None
    path: str
    keypoints: np.ndarray
    origin: np.ndarray  # (x, y) of the crop's corner
    scale: np.ndarray  # (width, height) of the crop


class _Pair(NamedTuple):
    """Two frames and their flow, in % of the side of the first one's crop."""

    keypoints: np.ndarray  # (2, S, K, 2), earlier and later frame, and the control
    propagated: np.ndarray  # (S, K, 2)
    valid: np.ndarray  # (S, K)
    moving_pixels: np.ndarray  # lengths of the flow


@METRICS.register_module()
class TemporalConsistencyMetric(BaseMetric):
    """Error of keypoints that optical flow carries from frame to frame of a clip.

    It needs no annotation, only that the frames of a clip are tested: it gathers the
    keypoints of all frames, reads the pictures of one pair of neighbours at a time and
    computes the flow between them. Only keypoints whose flow passes the check there
    and back count (:func:`mmkp.datasets.transforms.compute_optical_flow.
    consistent_flow`). Frames of a clip are those of equal ``clip_id`` in the order of
    ``frame_id`` where the samples have them, else the images of one folder in the
    order of their names, as ``LoadClipFrame`` has it. Frames without a neighbour,
    such as that of a clip of one frame, take no part.

    Figures are in % of the longer side of the crop, see
    :class:`~mmkp.evaluation.functional.TemporalConsistency`. A collapsed detector is
    perfectly consistent. So there are controls beside the ``error``: ``still_error``
    and ``keypoint_motion``, the same for keypoints where the picture moves
    (``moving_*``), ``spread``, that of :class:`KeypointCollapseMetric` but in %, and,
    where the model's ``test_cfg`` has ``untrained_control=True``,
    ``untrained_error`` and ``untrained_moving_error``.

    Args:
        gap: Distance of the two frames, in frames.
        moving_threshold: Length in % of the crop's side from which flow is motion.
        max_side: Pictures are reduced until their longer side has so many pixels.
        backend_args: Storage back end, as in ``mmengine.fileio.get``.
        **kwargs: Of ``BaseMetric``.

    Raises:
        ValueError: If the gap or ``max_side`` is below 1.
    """

    default_prefix = 'temporal'

    def __init__(
        self,
        gap: int = 1,
        moving_threshold: float = 1.0,
        max_side: int = 256,
        backend_args: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (('gap', gap), ('max_side', max_side)):
            if value < 1:
                raise ValueError(
                    f'{name} of TemporalConsistencyMetric must be at least 1, '
                    f'got {value}'
                )
        self.gap = gap
        self.moving_threshold = moving_threshold
        self.max_side = max_side
        self.backend_args = backend_args

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the keypoints of a batch and where their images are, not the images.

        Args:
            data_batch: Unused.
            data_samples: Predicted ``PoseDataSample`` objects as dicts.

        Raises:
            ValueError: If an image comes from no file.
        """
        for sample in data_samples:
            if sample.get(STANDS_IN):
                continue
            path = sample.get('img_path')
            if not path:
                raise ValueError(
                    'TemporalConsistencyMetric reads the images again to compute the '
                    'flow, but a sample has no img_path: read images from files and '
                    'keep img_path among the meta_keys of PackPoseInputs'
                )
            clip, number = str(sample.get('clip_id', '')), sample.get('frame_id')
            self.results.append(
                _Frame(
                    (osp.dirname(path), clip),
                    None if number is None else int(number),
                    path,
                    predicted_keypoints(sample),
                    *crop_of(sample),
                )
            )

    def compute_metrics(self, results: list[_Frame]) -> dict[str, float]:
        """Compute the flow of all pairs, one at a time, and compare.

        Args:
            results: What was kept of each image, from all processes.

        Returns:
            Name -> figure.

        Raises:
            ValueError: If no two frames are neighbours, if two samples are of one
                frame, or if frames of a clip differ in size.
        """
        pairs = [self._compare(*frames) for frames in self._neighbors(results)]
        if not pairs:
            raise ValueError(
                f'no two of the {len(results)} images, e.g. {results[0].path}, are '
                f'frames of one clip {self.gap} frame(s) apart: test all frames of '
                'clips, a folder each, or leave TemporalConsistencyMetric out'
            )
        pixels = np.concatenate([pair.moving_pixels for pair in pairs])
        motion = float(pixels.mean()) if len(pixels) else float('nan')
        found, *controls = (
            temporal_consistency(
                np.stack([pair.keypoints[0, detector] for pair in pairs]),
                np.stack([pair.keypoints[1, detector] for pair in pairs]),
                np.stack([pair.propagated[detector] for pair in pairs]),
                np.stack([pair.valid[detector] for pair in pairs]),
                motion,
                self.moving_threshold,
            )
            for detector in range(min(len(pair.valid) for pair in pairs))
        )
        figures = {name: float(value) for name, value in asdict(found).items()}
        fractions = [
            (frame.keypoints[0] - frame.origin) / frame.scale for frame in results
        ]
        figures['spread'] = 100 * collapse_statistics(np.stack(fractions)).spread
        for control in controls:
            figures['untrained_error'] = control.error
            figures['untrained_moving_error'] = control.moving_error
        return figures

    def _neighbors(
        self, results: list[_Frame]
    ) -> Iterator[tuple[_Frame, np.ndarray, _Frame, np.ndarray]]:
        """Pairs of frames and their grey pictures, of which few are kept."""
        clips: defaultdict[tuple[str, str], list[_Frame]] = defaultdict(list)
        for frame in results:
            clips[frame.clip].append(frame)
        read = functools.lru_cache(maxsize=self.gap + 1)(self._read)
        alone = 0
        for frames in clips.values():
            numbered = _by_number(frames)
            starts = [n for n in sorted(numbered) if n + self.gap in numbered]
            alone += not starts
            for number in starts:
                first, second = numbered[number], numbered[number + self.gap]
                yield first, read(first.path), second, read(second.path)
        if alone:
            MMLogger.get_current_instance().warning(
                f'TemporalConsistencyMetric leaves out {alone} of {len(clips)} clips, '
                f'of which no two frames {self.gap} apart were tested'
            )

    def _read(self, path: str) -> np.ndarray:
        """Grey picture (H, W) uint8 in its own size."""
        return cv2.cvtColor(fetch_image(path, self.backend_args), cv2.COLOR_BGR2GRAY)

    def _compare(
        self, first: _Frame, image: np.ndarray, second: _Frame, later: np.ndarray
    ) -> _Pair:
        """Carry the keypoints of a frame to the later one."""
        if image.shape != later.shape:
            raise ValueError(
                f'{first.path} has shape {image.shape}, but {second.path} '
                f'{later.shape}: frames of a clip must be of one size'
            )
        flow = FrameFlow(image, later, self.max_side)
        percent = 100 / first.scale.max()
        number = min(len(first.keypoints), len(second.keypoints))
        both = np.stack((first.keypoints[:number], second.keypoints[:number]))
        carried = [flow.carry(points) for points in both[0]]
        propagated, valid = (np.stack(found) for found in zip(*carried, strict=True))
        threshold = self.moving_threshold / percent
        return _Pair(
            percent * both,
            percent * propagated,
            valid,
            percent * flow.moving_pixels(first.origin, first.scale, threshold),
        )


def _by_number(frames: list[_Frame]) -> dict[int, _Frame]:
    """Frames of one clip by their number in it."""
    numbers = [frame.number for frame in frames]
    if None in numbers:
        order = {name: n for n, name in enumerate(clip_frames(frames[0].clip[0]))}
        numbers = [order[osp.basename(frame.path)] for frame in frames]
    numbered: dict[int, _Frame] = {}
    for number, frame in zip(numbers, frames, strict=True):
        assert number is not None  # for the type checker
        if number in numbered:
            raise ValueError(
                f'there are two samples of {frame.path}, which nothing connects with '
                'those of the next frame: TemporalConsistencyMetric needs one a frame'
            )
        numbered[number] = frame
    return numbered
