# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A method under test: models, batches and trainings from one config."""

import copy
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from torch import Tensor

from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.engine.random_state import get_random_state, set_random_state
from mmkp.testing.comparison import Prediction, tensors_in
from mmkp.testing.drawn_samples import drawn_images, raw_sample
from mmkp.testing.method_config import pipeline_of, read_any_config


class Method:
    """Builds, trains and asks the models of one config, always in the same way.

    Args:
        config: file, name of a config of this package, dict, or what was read.
        options: dotted keys and values that override settings.
        samples: at least 4 samples as the training pipeline returns them, ``inputs``
            and ``data_samples``; by default drawn images go through the pipeline.
        steps: of the training after which a loss has fallen and predictions are made.

    Raises:
        FileNotFoundError: there is no such config.
        ConfigError: the config holds a mistake.
    """

    batch_size = 4

    def __init__(
        self,
        config: str | Path | Mapping | Config,
        options: Mapping[str, Any] | None = None,
        samples: Sequence[dict] | None = None,
        steps: int = 20,
    ) -> None:
        self.cfg = read_any_config(config, options)
        self.options = dict(options or {})
        self.steps = steps
        self._samples = samples
        self._trained: dict[str, Tensor] = {}
        self._losses: list[float] = []

    def run_apart(self, function: Callable[['Method'], object]) -> None:
        """Call a function; the generators of random numbers are as before afterwards.

        Args:
            function: called with this method.
        """
        init_default_scope(self.cfg.get('default_scope') or 'mmpose')
        state, disabled = get_random_state(), logging.root.manager.disable
        # A line about each parameter of each model that is built would drown results.
        logging.disable(logging.WARNING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                function(self)
        finally:
            logging.disable(disabled)
            set_random_state(state)

    @property
    def samples_are_given(self) -> bool:
        """Whether the samples are the caller's and not drawn."""
        return self._samples is not None

    @property
    def bottom_up(self) -> bool:
        """Whether whole images of several instances are the samples."""
        return self.cfg.get('data_mode') == 'bottomup'

    def build(self, seed: int = 0) -> BasePoseEstimator:
        """Build the model at fresh weights, in training mode.

        Args:
            seed: of every global generator.
        """
        set_random_seed(seed)
        model = MODELS.build(copy.deepcopy(self.cfg.model))
        model.init_weights()
        number = getattr(model, 'num_keypoints', None)
        model.cfg, model.dataset_meta = self.cfg, self.dataset_meta
        if number is not None:
            model.dataset_meta = parse_pose_metainfo(discovered_metainfo(number))
        return model.train()

    @cached_property
    def dataset_meta(self) -> dict:
        """Parsed metainfo of the training's data set."""
        for mode in ('train', 'test'):
            meta = dataset_meta_from_config(self.cfg, mode)
            if meta:
                return meta
        raise ValueError(
            'neither train_dataloader nor test_dataloader of the config says what '
            'keypoints its data set has: give its dataset a metainfo'
        )

    @cached_property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the drawn images, in pixels: those of the input."""
        for mode in ('test', 'train'):
            for step in reversed(self.pipeline(mode)):
                size = step.get('input_size') or step.get('height')
                if size is not None:
                    sides = np.broadcast_to(size, 2)
                    return int(sides[0]), int(sides[1])
        return 64, 64

    def pipeline(self, mode: str) -> list[dict]:
        """Configs of the transforms of 'train' or 'test', inner data sets' first."""
        loader = self.cfg.get(f'{mode}_dataloader') or {}
        return pipeline_of(loader.get('dataset') or {})

    @cached_property
    def images(self) -> list[np.ndarray]:
        """Drawn images, (H, W, 3), uint8, BGR."""
        return self._drawn[0]

    @cached_property
    def _drawn(self) -> tuple[list[np.ndarray], np.ndarray]:
        number = self.dataset_meta['num_keypoints']
        return drawn_images(self.batch_size, self.image_size, number)

    @cached_property
    def training_samples(self) -> list[dict]:
        """Samples as the training pipeline returns them."""
        if self._samples is not None:
            return list(self._samples)
        set_random_seed(0)
        try:
            return self._packed()
        except (KeyError, TypeError, AttributeError, FileNotFoundError) as error:
            raise ValueError(
                'no sample for the training pipeline can be drawn '
                f'({type(error).__name__}: {error}): give check_method samples= '
                'of your data set, [dataset[i] for i in range(4)]'
            ) from error

    def _packed(self) -> list[dict]:
        """Drawn images after the training pipeline."""
        transform = Compose(self.pipeline('train') or self.pipeline('test'))
        packed = []
        for index, (image, points) in enumerate(zip(*self._drawn, strict=True)):
            sample = raw_sample(image, points, self.dataset_meta, self.bottom_up, index)
            packed.append(transform(sample))
        return packed

    def training_batch(self) -> dict:
        """A batch as the training's loader gives it."""
        return pseudo_collate(copy.deepcopy(self.training_samples))

    def test_batch(self, images: Sequence[Any] | None = None) -> dict:
        """A batch as the test's loader gives it, and MMPose's functions for one image.

        Args:
            images: (H, W, 3), BGR, or what else the pipeline may take, see
                :func:`mmkp.datasets.image_arrays.array_as_image`; the drawn ones when
                None.
        """
        if images is None and self._samples is not None:
            return self.training_batch()
        transform = Compose(self.pipeline('test'))
        samples = []
        for image in self.images if images is None else images:
            shape = image.shape
            height, width = shape[-2:] if isinstance(image, Tensor) else shape[:2]
            sample = dict(
                img=copy.deepcopy(image),
                img_path='',
                bbox=np.array([[0, 0, width, height]], np.float32),
                bbox_score=np.ones(1, np.float32),
            )
            samples.append(transform({**self.dataset_meta, **sample}))
        return pseudo_collate(samples)

    def optimizer(self, model: BasePoseEstimator) -> OptimWrapper | OptimWrapperDict:
        """The optimizer of the config, Adam at 1e-3 where there is none."""
        config = self.cfg.get('optim_wrapper') or dict(
            optimizer=dict(type='Adam', lr=1e-3)
        )
        return build_optim_wrapper(model, copy.deepcopy(config))

    def train(
        self,
        model: BasePoseEstimator,
        optimizer: OptimWrapper | OptimWrapperDict,
        steps: int,
        batch: dict | None = None,
    ) -> list[dict[str, float]]:
        """Make steps on one batch.

        Args:
            model: in training mode.
            optimizer: of :meth:`optimizer`.
            steps: number of them.
            batch: of :meth:`training_batch`, which is made when None.

        Returns:
            What each step logs: name -> value.
        """
        logs = []
        for _ in range(steps):
            data = self.training_batch() if batch is None else copy.deepcopy(batch)
            logged = model.train_step(data, optimizer)
            logs.append({name: float(value.detach()) for name, value in logged.items()})
        return logs

    def loss(
        self, model: BasePoseEstimator, batch: dict | None = None
    ) -> tuple[Tensor, dict]:
        """The sum of the losses, with its graph, and what is logged.

        Args:
            model: in any mode.
            batch: of :meth:`training_batch`, which is made when None.
        """
        data = self.training_batch() if batch is None else batch
        data = model.data_preprocessor(data, True)
        return model.parse_losses(model(**data, mode='loss'))

    def trained(self) -> BasePoseEstimator:
        """A model in evaluation mode after :attr:`steps` of training."""
        if not self._trained:
            self._losses = self._train_with_equal_draws()
        model = self.build()
        model.load_state_dict(self._trained)
        return model.eval()

    @property
    def losses(self) -> list[float]:
        """The sum of the losses at each step of :meth:`trained`."""
        if not self._losses:
            self.trained()
        return self._losses

    def _train_with_equal_draws(self) -> list[float]:
        """Train with the same random views at each step, so that losses compare."""
        model = self.build()
        optimizer = self.optimizer(model)
        losses = []
        for _ in range(self.steps):
            set_random_seed(0)
            [logged] = self.train(model, optimizer, 1)
            losses.append(logged['loss'])
        self._trained = copy.deepcopy(model.state_dict())
        return losses

    @torch.no_grad()
    def raw_outputs(self, model: BasePoseEstimator, batch: dict) -> list[Tensor]:
        """What the network gives before it is decoded.

        Args:
            model: in evaluation mode.
            batch: of :meth:`test_batch`.
        """
        data = model.data_preprocessor(batch, False)
        found = model(data['inputs'], data.get('data_samples'), mode='tensor')
        return list(tensors_in(found))

    @torch.no_grad()
    def predict(
        self, model: BasePoseEstimator, batch: dict | None = None
    ) -> list[Prediction]:
        """Predictions in pixels of the images.

        Args:
            model: in evaluation mode.
            batch: of :meth:`test_batch`, which is made when None.

        Returns:
            For each image ``keypoints`` (N, K, 2) and ``keypoint_scores`` (N, K).
        """
        batch = self.test_batch() if batch is None else copy.deepcopy(batch)
        names = ('keypoints', 'keypoint_scores')
        return [
            {name: np.asarray(sample.pred_instances[name]) for name in names}
            for sample in model.test_step(batch)
        ]
