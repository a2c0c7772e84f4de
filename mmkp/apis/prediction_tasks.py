# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which function predicts and draws, for each kind of model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from mmkp.apis.drawing import (
    draw_maps,
    draw_people,
    draw_predictions,
    draw_stacks,
    skeleton_style,
)
from mmkp.apis.predict_people import finds_people, predict_people
from mmkp.apis.predict_topdown import predict_topdown
from mmkp.datasets.image_boxes import plain_name
from mmkp.visualization.discovery_grid import edge_weight_matrix
from mmkp.visualization.model_pictures import (
    is_discovery_model,
    keypoint_colors,
    learned_edges,
)
from mmkp.visualization.skeletons import CONFIDENT_SCORE

Instances = dict[str, np.ndarray]


class PredictionTask(Protocol):
    """What to do with each image."""

    num_keypoints: int

    def takes(self, name: str) -> bool:
        """Whether an image of that name is to be predicted."""

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""

    def write_extras(self, out_dir: Path) -> None:
        """Write what belongs to the model and not to an image."""


def choose_task(
    model: Any,
    batch_size: int = 16,
    numbers: bool = False,
    min_score: float | None = None,
    boxes: dict | None = None,
    maps: dict[str, str] | None = None,
    show_stacks: bool = False,
) -> PredictionTask:
    """Choose what to do with images by what a model is.

    Args:
        model: from :func:`mmkp.apis.load_model`.
        batch_size: number of images that the network sees at once.
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn; by default those below
            0.2, but all that a model has discovered.
        boxes: image names to boxes, or None for whole images.
        maps: which maps to draw how, see :func:`mmkp.apis.drawing.draw_maps`.
        show_stacks: draw what each stack of the network predicts.

    Returns:
        The task.

    Raises:
        ValueError: the model has nothing of the kind to show, or takes no boxes.
    """
    maps, name = maps or {}, type(model).__name__
    least = CONFIDENT_SCORE if min_score is None else min_score
    if show_stacks and (finds_people(model) or is_discovery_model(model)):
        raise ValueError(f'stacks are shown of supervised top-down models, not {name}')
    if finds_people(model):
        if boxes is not None:
            raise ValueError('a bottom-up model finds people itself: leave out --boxes')
        return PeopleTask(model, batch_size, numbers, least, maps)
    if 'fields' in maps:
        raise ValueError(f'fields are shown of bottom-up models, {name} is none')
    if is_discovery_model(model):
        return DiscoveryTask(model, batch_size, numbers, min_score or 0.0, boxes, maps)
    return TopdownTask(
        model, batch_size, numbers, least, maps, boxes, show_stacks=show_stacks
    )


class _Task:
    """What tasks share: a model without edges, on whole images or on boxes."""

    def __init__(
        self,
        model: Any,
        batch_size: int,
        boxes: dict | None = None,
        maps: dict[str, str] | None = None,
    ) -> None:
        self.model, self.batch_size, self.boxes = model, batch_size, boxes
        self.maps = maps or {}

    def takes(self, name: str) -> bool:
        """Whether an image of that name is to be predicted."""
        return self.boxes is None or len(self.boxes.get(plain_name(name), ())) > 0

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""
        raise ValueError(f'{type(self.model).__name__} learns no edges to show')

    def write_extras(self, out_dir: Path) -> None:
        """Write what belongs to the model and not to an image: nothing."""

    def draw_maps(
        self, image: np.ndarray, instances: Instances
    ) -> dict[str, np.ndarray]:
        """Draw the maps asked for: names of folders to pictures, BGR."""
        return {
            kind: draw_maps(image, instances, self.model, kind, style)
            for kind, style in self.maps.items()
        }

    def boxes_of(self, names: Sequence[str]) -> list | None:
        """Boxes of images of these names, or None for the whole images."""
        if self.boxes is None:
            return None
        return [self.boxes[plain_name(name)] for name in names]


class DiscoveryTask(_Task):
    """Keypoints of whole images or boxes, learned edges, and heatmaps."""

    def __init__(
        self,
        model: Any,
        batch_size: int,
        numbers: bool,
        min_score: float,
        boxes: dict | None,
        maps: dict[str, str],
    ) -> None:
        super().__init__(model, batch_size, boxes, maps)
        self.numbers, self.min_score = numbers, min_score
        self.num_keypoints = len(model.dataset_meta['keypoint_colors'])
        self.colors = keypoint_colors(self.num_keypoints, model.dataset_meta)
        self.edges: np.ndarray | None = None
        self.weights: np.ndarray | None = None

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""
        self.edges, self.weights = learned_edges(self.model)
        if self.edges is None:
            raise ValueError(f'{type(self.model).__name__} learns no edges to show')

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""
        boxes = self.boxes_of(names)
        return predict_topdown(
            self.model, images, boxes, self.batch_size, with_maps=bool(self.maps)
        )

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        picture = draw_predictions(
            image,
            instances,
            self.colors,
            self.edges,
            self.weights,
            self.numbers,
            self.min_score,
            self.boxes is not None,
        )
        return {**self.draw_maps(image, instances), 'pictures': picture}

    def write_extras(self, out_dir: Path) -> None:
        """Write what belongs to the model and not to an image."""
        if self.edges is None or self.weights is None:
            return
        title = 'learned edge weights'
        matrix = edge_weight_matrix(self.edges, self.weights, self.colors, title)
        cv2.imwrite(str(out_dir / 'edge_weights.png'), matrix[..., ::-1])


class PeopleTask(_Task):
    """All people of whole images, and the maps that they were found in."""

    def __init__(
        self,
        model: Any,
        batch_size: int,
        numbers: bool,
        min_score: float,
        maps: dict[str, str],
        boxes: dict | None = None,
    ) -> None:
        super().__init__(model, batch_size, boxes, maps)
        self.numbers, self.min_score = numbers, min_score
        self.style = skeleton_style(model)
        self.num_keypoints = len(self.style.colors)

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""
        with_maps = bool(self.maps)
        return predict_people(self.model, images, self.batch_size, with_maps, names)

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        drawn = self.draw_maps(image, instances)
        drawn['pictures'] = draw_people(
            image,
            instances,
            self.style,
            self.min_score,
            self.numbers,
            show_boxes=self.boxes is not None,
        )
        return drawn


class TopdownTask(PeopleTask):
    """Skeletons of whole images or boxes, their heatmaps, and what each stack saw."""

    def __init__(self, *args: Any, show_stacks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.with_stacks = show_stacks

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""
        return predict_topdown(
            self.model,
            images,
            self.boxes_of(names),
            self.batch_size,
            with_maps=bool(self.maps),
            with_stacks=self.with_stacks,
        )

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        drawn = super().draw(image, instances)
        if self.with_stacks:
            drawn['stacks'] = draw_stacks(image, instances, self.style, self.min_score)
        return drawn
