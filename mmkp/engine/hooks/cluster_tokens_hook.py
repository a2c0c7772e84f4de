# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tokens that are clusters of frozen features: keypoints without a training."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor
from torch.nn import functional as F

from mmkp.engine.loop_state import bare_model
from mmkp.engine.random_state import get_random_state, set_random_state
from mmkp.models.token_attention.feature_attention import FeatureAttention
from mmkp.models.unsupervised.stable_keypoints import StableKeypoints
from mmkp.ops.border_background import border_background
from mmkp.ops.token_maps.attention_maps import attention_maps
from mmkp.ops.token_maps.feature_clusters import spherical_kmeans
from mmkp.ops.token_maps.salience import peak_statistics, salient_tokens


@HOOKS.register_module()
class ClusterTokensHook(Hook):
    """Starts from tokens that are clusters of the frozen network's features.

    As parts are found in Deep ViT Features as Dense Visual Descriptors (Amir et al.,
    2021) by k-means of the features of all images: a token is the center
    of a cluster, so a cell attends to the cluster that it belongs to, and the K
    clusters that are in one place of each image, off its border and apart become the
    keypoints. That needs no training; one may follow, which it spares the beginning.

    It is done before the first step, and not when a training is resumed or begins with
    ``load_from``. Each of several processes comes to the same tokens.

    Args:
        num_images: number of training images, spread evenly over the data set.
        num_cells: number of cells whose features are clustered, drawn from all.
        batch_size: number of images that the network sees at once.
        iterations: of k-means.
        seed: of the cells and of k-means.
        figure_tolerance: how far the border's smooth background strays, in units of
            the network input, for objects before one: clusters elsewhere than on what
            :func:`mmkp.ops.border_background.border_background` leaves over are no
            keypoints. None: the background is not looked at.

    Raises:
        ValueError: a number is below 1, a tolerance is not positive, or, when the
            training starts, the model has no :class:`FeatureAttention`, or fewer cells
            are clustered than it has tokens.
    """

    def __init__(
        self,
        num_images: int = 500,
        num_cells: int = 20000,
        batch_size: int = 16,
        iterations: int = 20,
        seed: int = 0,
        figure_tolerance: float | None = None,
    ) -> None:
        if min(num_images, num_cells, batch_size, iterations) < 1:
            raise ValueError(
                f'num_images={num_images}, num_cells={num_cells}, batch_size='
                f'{batch_size} and iterations={iterations} of ClusterTokensHook must '
                'be at least 1'
            )
        if figure_tolerance is not None and not figure_tolerance > 0:
            raise ValueError(f'figure_tolerance={figure_tolerance} must be positive')
        self.num_images = num_images
        self.num_cells = num_cells
        self.batch_size = batch_size
        self.iterations = iterations
        self.seed = seed
        self.figure_tolerance = figure_tolerance

    def before_run(self, runner: Runner) -> None:
        """Refuse a model whose tokens attend to no features.

        Args:
            runner: the runner of the training or the test.

        Raises:
            ValueError: it is one.
        """
        model = bare_model(runner)
        if not isinstance(getattr(model, 'backbone', None), FeatureAttention):
            raise ValueError(
                'ClusterTokensHook clusters the features of FeatureAttention, which '
                f'this {type(model).__name__} has not for its backbone: take it out of '
                'custom_hooks, or train StableKeypoints over FeatureAttention'
            )

    @torch.no_grad()
    def before_train(self, runner: Runner) -> None:
        """Make the tokens, and choose which are the keypoints.

        Args:
            runner: the runner of the training.
        """
        if runner.iter or runner._load_from:
            return
        model = bare_model(runner)
        head, state, training = model.head, get_random_state(), model.training
        model.eval()
        features, figures = [], []
        for inputs in self._inputs(runner):
            features.append(model.backbone.features(inputs))
            figures.append(self._figure(inputs, head.map_size))
        head.tokens.copy_(self._centers(features, head.num_tokens))
        indices, apart = self._choose(model, features, figures, head.tokens)
        head.token_indices.copy_(indices)
        if model.test_cfg.get('untrained_control', False):
            seed = model.test_cfg.get('untrained_seed', 0)
            untrained = head.untrained_tokens(seed)
            chosen, _ = self._choose(model, features, figures, untrained)
            head.untrained_token_indices.copy_(chosen)
        model.train(training)
        set_random_state(state)
        runner.logger.info(
            f'Keypoints are the clusters {indices.tolist()} of {head.num_tokens}; '
            f'salience {[round(value, 3) for value in apart.tolist()]}'
        )

    def _inputs(self, runner: Runner) -> Iterator[Tensor]:
        """Training images as the network sees them, batch by batch, (B, 3, H, W)."""
        model, dataset = bare_model(runner), runner.train_dataloader.dataset
        number = min(self.num_images, len(dataset))
        places = np.linspace(0, len(dataset) - 1, number).round().astype(int)
        for start in range(0, number, self.batch_size):
            chosen = places[start : start + self.batch_size]
            batch = pseudo_collate([dataset[int(place)] for place in chosen])
            yield model.data_preprocessor(batch, training=False)['inputs']

    def _figure(self, inputs: Tensor, map_size: tuple[int, int]) -> Tensor | None:
        """Share of the object in each cell of the maps, (B, h, w)."""
        if self.figure_tolerance is None:
            return None
        figure = 1 - border_background(inputs, self.figure_tolerance)
        return F.interpolate(figure[:, None], map_size[::-1], mode='area')[:, 0]

    def _centers(self, features: list[Tensor], number: int) -> Tensor:
        """Centers of clusters, of the length that features have, (N, C)."""
        generator = torch.Generator().manual_seed(self.seed)
        share = self.num_cells / sum(maps[:, 0].numel() for maps in features)
        drawn = []
        for maps in features:
            cells = maps.permute(0, 2, 3, 1).flatten(0, 2)
            count = min(len(cells), max(1, round(share * len(cells))))
            order = torch.randperm(len(cells), generator=generator)[:count]
            drawn.append(cells[order.to(cells.device)])
        cells = torch.cat(drawn)
        centers = spherical_kmeans(cells, number, self.iterations, self.seed)
        return centers * cells.norm(dim=1).mean()

    @staticmethod
    def _choose(
        model: StableKeypoints,
        features: list[Tensor],
        figures: list[Tensor | None],
        tokens: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The K tokens that are keypoints, and their mean salience."""
        attention, found = cast(FeatureAttention, model.backbone), []
        for maps, figure in zip(features, figures, strict=True):
            logits = attention.logits(maps, tokens)
            shown = attention_maps(logits, model.head.map_size)
            found.append(peak_statistics(shown, figure))
        peaks, salience = (torch.cat(parts) for parts in zip(*found, strict=True))
        indices = salient_tokens(peaks, salience, model.head.num_keypoints)
        return indices, salience.mean(0)[indices]
