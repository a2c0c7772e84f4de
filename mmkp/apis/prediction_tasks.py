# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which function predicts and draws, for each kind of model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from mmkp.apis.discover import discover
from mmkp.apis.drawing import (
    draw_maps,
    draw_people,
    draw_predictions,
    skeleton_style,
)
from mmkp.apis.predict_people import predict_people
from mmkp.visualization.discovery_grid import edge_weight_matrix
from mmkp.visualization.model_pictures import keypoint_colours, learned_edges

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


class DiscoveryTask:
    """Keypoints of whole images or boxes, and learned edges."""

    def __init__(
        self,
        model: Any,
        batch_size: int,
        numbers: bool,
        min_score: float,
        boxes: dict | None,
    ) -> None:
        self.model, self.batch_size, self.boxes = model, batch_size, boxes
        self.numbers, self.min_score = numbers, min_score
        self.num_keypoints = len(model.dataset_meta['keypoint_colors'])
        self.colours = keypoint_colours(self.num_keypoints, model.dataset_meta)
        self.edges: np.ndarray | None = None
        self.weights: np.ndarray | None = None

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""
        self.edges, self.weights = learned_edges(self.model)
        if self.edges is None:
            raise ValueError(f'{type(self.model).__name__} learns no edges to show')

    def takes(self, name: str) -> bool:
        """Whether an image of that name is to be predicted."""
        return self.boxes is None or len(self.boxes.get(name, ())) > 0

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""
        places = None if self.boxes is None else [self.boxes[name] for name in names]
        return discover(self.model, images, places, self.batch_size)

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        picture = draw_predictions(
            image,
            instances,
            self.colours,
            self.edges,
            self.weights,
            self.numbers,
            self.min_score,
            self.boxes is not None,
        )
        return {'pictures': picture}

    def write_extras(self, out_dir: Path) -> None:
        """Write what belongs to the model and not to an image."""
        if self.edges is None or self.weights is None:
            return
        title = 'learned edge weights'
        matrix = edge_weight_matrix(self.edges, self.weights, self.colours, title)
        cv2.imwrite(str(out_dir / 'edge_weights.png'), matrix[..., ::-1])


class PeopleTask:
    """All people of whole images, and the maps that they were found in."""

    def __init__(
        self,
        model: Any,
        batch_size: int,
        numbers: bool,
        min_score: float,
        maps: dict[str, str],
    ) -> None:
        self.model, self.batch_size, self.maps = model, batch_size, maps
        self.numbers, self.min_score = numbers, min_score
        self.style = skeleton_style(model)
        self.num_keypoints = len(self.style.colours)

    def show_edges(self) -> None:
        """Draw learned edges too, or say that there are none."""
        raise ValueError(f'{type(self.model).__name__} learns no edges to show')

    def takes(self, name: str) -> bool:
        """Whether an image of that name is to be predicted."""
        return True

    def predict(self, names: Sequence[str], images: Sequence[np.ndarray]) -> list:
        """Predict a batch of images, BGR: one dict of instances each."""
        return predict_people(self.model, images, self.batch_size, bool(self.maps))

    def draw(self, image: np.ndarray, instances: Instances) -> dict[str, np.ndarray]:
        """Draw an image: names of folders to pictures, BGR."""
        drawn = {
            kind: draw_maps(image, instances, self.model, kind, style)
            for kind, style in self.maps.items()
        }
        drawn['pictures'] = draw_people(
            image, instances, self.style, self.min_score, self.numbers
        )
        return drawn

    def write_extras(self, out_dir: Path) -> None:
        """Write what belongs to the model and not to an image: nothing."""
