# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which function predicts and draws, for each kind of model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    edges_among,
    is_discovery_model,
    keypoint_colors,
    learned_edges,
)
from mmkp.visualization.skeletons import CONFIDENT_SCORE

Instances = dict[str, np.ndarray]


def choose_task(
    model: Any,
    batch_size: int = 16,
    numbers: bool = False,
    min_score: float | None = None,
    boxes: dict | None = None,
    maps: dict[str, str] | None = None,
    show_stacks: bool = False,
) -> 'PredictionTask':
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
    kind: type[PredictionTask] = TopdownTask
    if finds_people(model):
        kind = PeopleTask
    elif is_discovery_model(model) or getattr(model, 'discovers', False):
        kind = DiscoveryTask
    if show_stacks and kind is not TopdownTask:
        raise ValueError(f'stacks are shown of supervised top-down models, not {name}')
    if kind is PeopleTask and boxes is not None:
        raise ValueError('a bottom-up model finds people itself: leave out --boxes')
    if kind is not PeopleTask and 'fields' in maps:
        raise ValueError(f'fields are shown of bottom-up models, {name} is none')
    if min_score is None:
        min_score = 0.0 if kind is DiscoveryTask else CONFIDENT_SCORE
    return kind(model, batch_size, numbers, min_score, boxes, maps, show_stacks)


class PredictionTask:
    """What to do with each image: predict and draw it, whole or in boxes.

    Arguments are those of :func:`choose_task`.

    Attributes:
        predictor: that predicts: the model, or what has come into its place.
    """

    num_keypoints: int

    def __init__(
        self,
        model: Any,
        batch_size: int,
        numbers: bool,
        min_score: float,
        boxes: dict | None,
        maps: dict[str, str],
        show_stacks: bool,
    ) -> None:
        self.model, self.batch_size = model, batch_size
        self.predictor = model
        self.numbers, self.min_score = numbers, min_score
        self.boxes, self.maps, self.with_stacks = boxes, maps, show_stacks

    def takes(self, name: str) -> bool:
        """Whether an image of that name is to be predicted."""
        return self.boxes is None or len(self.boxes.get(plain_name(name), ())) > 0

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""
        what = f'{type(self.model).__name__} learns'
        if hasattr(self.model, 'session'):
            what = 'an export, unlike its run, has'
        raise ValueError(f'{what} no edges to show')

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""
        boxes = None
        if self.boxes is not None:
            boxes = [self.boxes[plain_name(name)] for name in names]
        with_maps = bool(self.maps)
        return predict_topdown(
            self.predictor, images, boxes, self.batch_size, with_maps, self.with_stacks
        )

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        drawn = {
            kind: draw_maps(image, instances, self.model, kind, style)
            for kind, style in self.maps.items()
        }
        drawn['pictures'] = self.draw_instances(image, instances)
        return drawn

    def draw_instances(self, image: np.ndarray, instances: Instances) -> np.ndarray:
        """Draw the keypoints of an image."""
        raise NotImplementedError

    def write_extras(self, out_dir: Path) -> None:
        """Write what belongs to the model and not to an image: nothing."""


class DiscoveryTask(PredictionTask):
    """Keypoints of whole images or boxes, learned edges, and heatmaps."""

    def __init__(self, model: Any, *args: Any) -> None:
        super().__init__(model, *args)
        self.num_keypoints = len(model.dataset_meta['keypoint_colors'])
        self.colors = keypoint_colors(self.num_keypoints, model.dataset_meta)
        self.edges: np.ndarray | None = None
        self.weights: np.ndarray | None = None

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""
        self.edges, self.weights = learned_edges(self.model)
        if self.edges is None:
            super().show_edges()
            return
        kept = self.model.test_cfg.get('output_keypoint_indices')
        if kept and self.weights is not None:
            self.edges, self.weights = edges_among(self.edges, self.weights, kept)

    def draw_instances(self, image: np.ndarray, instances: Instances) -> np.ndarray:
        """Draw keypoints, edges and boxes."""
        return draw_predictions(
            image,
            instances,
            self.colors,
            self.edges,
            self.weights,
            self.numbers,
            self.min_score,
            self.boxes is not None,
        )

    def write_extras(self, out_dir: Path) -> None:
        """Draw the weights of the learned edges, if edges are drawn."""
        if self.edges is None or self.weights is None:
            return
        title = 'learned edge weights'
        matrix = edge_weight_matrix(self.edges, self.weights, self.colors, title)
        cv2.imwrite(str(out_dir / 'edge_weights.png'), matrix[..., ::-1])


class TopdownTask(PredictionTask):
    """Skeletons of whole images or boxes, their maps, and stacks."""

    def __init__(self, model: Any, *args: Any) -> None:
        super().__init__(model, *args)
        self.style = skeleton_style(model)
        self.num_keypoints = len(self.style.colors)

    def draw_instances(self, image: np.ndarray, instances: Instances) -> np.ndarray:
        """Draw skeletons, and the boxes they were found in."""
        return draw_people(
            image,
            instances,
            self.style,
            self.min_score,
            self.numbers,
            show_boxes=self.boxes is not None,
        )

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        drawn = super().draw(image, instances)
        if self.with_stacks:
            drawn['stacks'] = draw_stacks(image, instances, self.style, self.min_score)
        return drawn


class PeopleTask(TopdownTask):
    """People of whole images, their heatmaps and part affinity fields."""

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Find the people of a batch of images, BGR."""
        with_maps = bool(self.maps)
        return predict_people(self.predictor, images, self.batch_size, with_maps, names)
