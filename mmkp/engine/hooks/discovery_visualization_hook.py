"""A picture of what was discovered, each validation and at the test's end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from mmengine.dataset import pseudo_collate
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.loop_state import bare_model
from mmkp.visualization.model_pictures import (
    is_discovery_model,
    picture_model,
    spread_indices,
)


@HOOKS.register_module()
class DiscoveryVisualizationHook(Hook):
    """Shows the same images each time, so that progress can be seen.

    Two pictures go to every backend of the visualizer (files, TensorBoard, Weights &
    Biases): ``discovery`` with a row for each image and, as far as the model has
    them, columns for keypoints, heatmaps, edges, edge map, masked input and
    reconstruction; and ``edge_weights``, the matrix of the learned weights. Models
    that discover no keypoints are left alone. The local files lie in
    ``vis_data/vis_image`` of the run's folder.

    Args:
        num_samples: number of images, spread evenly over the data set; of two data
            sets in one (``DiscoveryEvaluationDataset``) over the last one.
        indices: which images instead.
        tile: length of a tile's longer side in pixels, at least.
        out_dir: another folder for the pictures, in addition.
        enable: whether to draw at all.

    Raises:
        ValueError: ``num_samples`` below 1.
    """

    # Before EMAHook takes its averaged weights out of the model again.
    priority = 'HIGH'

    def __init__(
        self,
        num_samples: int = 8,
        indices: Sequence[int] | None = None,
        tile: int = 192,
        out_dir: str | None = None,
        enable: bool = True,
    ) -> None:
        if num_samples < 1:
            raise ValueError(f'num_samples must be at least 1, got {num_samples}')
        self.num_samples = num_samples
        self.indices = indices
        self.tile = tile
        self.out_dir = out_dir
        self.enable = enable

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Draw the validation images.

        Args:
            runner: the runner of the training.
            metrics: not used.
        """
        self._draw(runner, runner.val_dataloader.dataset, 'iteration', runner.iter)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Draw the test images.

        Args:
            runner: the runner of the test.
            metrics: not used.
        """
        self._draw(runner, runner.test_dataloader.dataset, 'test', 0)

    def _draw(self, runner: Runner, dataset: Any, stage: str, step: int) -> None:
        model = bare_model(runner)
        if not (self.enable and is_main_process() and is_discovery_model(model)):
            return
        chosen = self.indices or spread_indices(dataset, self.num_samples)
        batch = pseudo_collate([dataset[int(index)] for index in chosen])
        name = f'{type(model).__name__}, {model.num_keypoints} keypoints, {stage}'
        pictures = picture_model(
            model,
            batch,
            getattr(dataset, 'metainfo', None),
            title=f'{name} {step}' if stage == 'iteration' else name,
            tile=self.tile,
        )
        for key, picture in pictures.items():
            runner.visualizer.add_image(key, picture, step)
            if self.out_dir is not None:
                folder = Path(self.out_dir)
                folder.mkdir(parents=True, exist_ok=True)
                file = folder / f'{key}_{step if stage == "iteration" else stage}.png'
                cv2.imwrite(str(file), picture[..., ::-1])
        where = self.out_dir or f'{runner.log_dir}/vis_data/vis_image'
        runner.logger.info(f'Pictures of what was discovered: {where}')
