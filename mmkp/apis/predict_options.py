# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How to predict files, and what to write of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmkp.apis.picture_set import Draw
from mmkp.datasets.object_detection import BoxDetector

Runtime = Literal['auto', 'torch', 'onnx', 'openvino']
Precision = Literal['float32', 'bfloat16']
RUNTIMES: tuple[Runtime, ...] = ('auto', 'torch', 'onnx', 'openvino')
PRECISIONS: tuple[Precision, ...] = ('float32', 'bfloat16')
Smoothing = Literal['none', 'oneeuro', 'savgol', 'kalman']


@dataclass
class PredictOptions:
    """How to predict files, and what to write of it.

    Attributes:
        boxes: json file of boxes by image name, or a detector, or its ``.onnx`` file;
            None takes whole images.
        frames: which frames of films, or which images, as a range or as text such as
            ``0-100:5``; None for all.
        batch_size: number of images that the network sees at once.
        resume: whether to go on behind what an interrupted prediction has written.
        draw: 'all', 'sheet' for one picture of some images, or 'none'.
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn; by default those below
            0.2, but all that a model has discovered.
        show_edges: draw the learned edges.
        show_heatmaps: 'overlay' or 'all', see :func:`mmkp.apis.predict_files`.
        show_fields: 'wheel', 'arrows' or 'all'.
        show_stacks: show each stack of the network.
        smooth: of films, which filter: 'none', 'oneeuro', 'savgol' or 'kalman', see
            :mod:`mmkp.apis.motion`.
        max_gap: seconds of the longest gap of a smoothed keypoint that is filled.
        fix_swaps: whether to put left and right back where they are exchanged for some
            frames.
        tracks: whether to follow several objects from frame to frame.
        runtime: 'torch'; 'onnx' or 'openvino' by an export, which is made once beside
            the run; 'auto' for what is the fastest of those that agree, of long
            sources.
        precision: 'float32', or 'bfloat16' for convolutions, which moves keypoints;
            weights of a run are fitted to it on some of its pictures.
    """

    boxes: str | Path | BoxDetector | None = None
    frames: str | range | None = None
    batch_size: int = 16
    resume: bool = False
    draw: Draw = 'all'
    numbers: bool = False
    min_score: float | None = None
    show_edges: bool = False
    show_heatmaps: str | None = None
    show_fields: str | None = None
    show_stacks: bool = False
    smooth: Smoothing = 'none'
    max_gap: float = 0.2
    fix_swaps: bool = False
    tracks: bool = False
    runtime: Runtime = 'auto'
    precision: Precision = 'float32'

    def __post_init__(self) -> None:
        for name, known in (
            ('draw', ('all', 'sheet', 'none')),
            ('smooth', ('none', 'oneeuro', 'savgol', 'kalman')),
            ('runtime', RUNTIMES),
            ('precision', PRECISIONS),
        ):
            if getattr(self, name) not in known:
                raise ValueError(
                    f'{name} is one of {known}, got {getattr(self, name)!r}'
                )
        if self.later and any(self.maps.values()):
            raise ValueError(
                'heatmaps, fields and stacks are drawn while the network runs: ask for '
                'them without --smooth, --fix-swaps, --tracks and --resume'
            )

    @property
    def maps(self) -> dict[str, str | None]:
        """Which maps of the network to draw, and how."""
        stacks = 'all' if self.show_stacks else None
        return dict(heatmaps=self.show_heatmaps, fields=self.show_fields, stacks=stacks)

    @property
    def moves(self) -> bool:
        """Whether keypoints of a film are changed after they were predicted."""
        return self.smooth != 'none' or self.fix_swaps or self.tracks

    @property
    def later(self) -> bool:
        """Whether pictures have to wait until all is predicted."""
        return self.moves or self.resume
