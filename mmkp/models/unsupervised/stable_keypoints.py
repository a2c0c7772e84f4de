# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""StableKeypoints: keypoints as tokens that a frozen network attends to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.models.heads.token_head import TokenHead
from mmkp.models.token_attention.base import TokenAttention
from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator
from mmkp.models.view_transforms.random_affine_warp import RandomAffineWarp
from mmkp.models.view_transforms.views import Views
from mmkp.ops.geometry import size_of
from mmkp.ops.heatmaps.peaks import peak_centroids
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows
from mmkp.ops.token_maps.selection import select_tokens
from mmkp.ops.token_maps.view_aggregation import ViewAggregator
from mmkp.ops.warps.affine import AffineWarp


@MODELS.register_module()
class StableKeypoints(UnsupervisedPoseEstimator):
    """Unsupervised keypoints from a pretrained network (Hedlin et al., CVPR 2024).

    N tokens are learned so that a frozen network attends to each at one place of an
    image (``LocalizationLoss``, section 3.2), which moves with the image
    (``MapEquivarianceLoss``). For each image only those tokens are trained whose maps
    are most like a Gaussian and which lie far apart (section 3.3); the K that are
    chosen most often become the keypoints. Tests average maps over random views
    (section 3.4).

    The network is the cross-attention of Stable Diffusion (``DiffusionAttention``) or
    the features of any backbone (``FeatureAttention``). Checkpoints hold tokens and
    indices, not the network.

    Losses may ask for ``images``, ``token_maps`` (B, k, h, w) of the tokens that are
    trained, ``heatmaps``, the same as distributions over space, ``keypoints``, the
    mean positions around their peaks, ``warped_*`` of each, their ``geometry``, and
    ``warp``.

    Args:
        backbone: config of a :class:`TokenAttention`.
        head: config of a :class:`TokenHead`.
        view_transform: config of a :class:`RandomAffineWarp`, the second view in
            training and each view of a test.
        train_cfg: ``num_candidates`` (25) tokens whose maps are most like a Gaussian
            of ``sigma`` (2.0) cells, of which the ``num_selected`` (K) furthest apart
            are trained; ``strategy`` ``'gaussian'`` or ``'entropy'``.
        test_cfg: beside those of the base, ``num_views`` random views to average over
            (10 as published; 0, the default, for the image itself), at
            ``view_map_size`` (W, H) cells, the same views for each image by
            ``view_seed`` (0).
        *args: further arguments of :class:`UnsupervisedPoseEstimator`.
        **kwargs: the same by name.

    Raises:
        ValueError: a part is of another kind, or there are fewer tokens than
            candidates, or candidates than keypoints.
    """

    head: TokenHead
    backbone: TokenAttention

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        needs_affine = len(self.losses) or self.test_cfg.get('num_views', 0)
        for name, kind, example in (
            ('backbone', TokenAttention, 'DiffusionAttention or FeatureAttention'),
            ('head', TokenHead, 'TokenHead'),
            ('view_transform', RandomAffineWarp, 'RandomAffineWarp'),
        ):
            part = getattr(self, name)
            if not isinstance(part, kind) and (part is not None or needs_affine):
                raise ValueError(
                    f'{name} of StableKeypoints is {type(part).__name__}: its maps '
                    f'are warped back and its tokens attended to, so give {example}'
                )
        if len(self.losses):
            self._check_numbers()
        if self.head.num_channels is None and self.backbone.token_width is None:
            self.backbone.read()  # which tells how wide the tokens are
        if self.backbone.token_width is not None:
            self.head.set_token_width(self.backbone.token_width)

    def _check_numbers(self) -> None:
        """Refuse what no tokens could be selected by, before the first step."""
        selected = self.train_cfg.get('num_selected', self.num_keypoints)
        candidates = self.train_cfg.get('num_candidates', 25)
        if not 1 <= selected <= candidates <= self.head.num_tokens:
            raise ValueError(
                f'StableKeypoints trains {selected} of {candidates} candidates among '
                f'{self.head.num_tokens} tokens, each must be at least the one before: '
                'raise train_cfg.num_candidates and head.num_tokens'
            )

    def attend(
        self, inputs: Tensor, tokens: Tensor | None = None, cached: bool = False
    ) -> list[Tensor]:
        """Attention logits of all tokens.

        Args:
            inputs: network input, shape (B, 3, H, W).
            tokens: shape (N, C); the learned ones when None.
            cached: the images are the data set's, not views of them, so that what the
                network makes of them may be kept.

        Returns:
            One tensor for each layer, (B, heads, h, w, N).
        """
        inputs = inputs.contiguous(memory_format=self.memory_format)
        tokens = self.head.tokens if tokens is None else tokens
        return self.backbone(inputs, tokens, cached=cached)

    @torch.no_grad()
    def select(self, logits: Sequence[Tensor], warped: Sequence[Tensor]) -> Tensor:
        """Which tokens describe each image best (section 3.3).

        Args:
            logits: attention logits of the images, each (B, heads, h, w, N).
            warped: those of their second views.

        Returns:
            Token indices, shape (B, k), int64.
        """
        size, settings = self.head.map_size, self.train_cfg
        return select_tokens(
            attention_maps_by_rows(logits, size),
            attention_maps_by_rows(warped, size),
            settings.get('num_candidates', 25),
            settings.get('num_selected', self.num_keypoints),
            settings.get('sigma', 2.0),
            settings.get('strategy', 'gaussian'),
        )

    @torch.no_grad()
    def select_from_images(
        self, inputs: Tensor, tokens: Tensor | None = None
    ) -> Tensor:
        """Which tokens describe each image best, from the images.

        Args:
            inputs: network input, shape (B, 3, H, W).
            tokens: shape (N, C); the learned ones when None.

        Returns:
            Token indices, shape (B, k), int64.
        """
        views = self.views(inputs)
        logits = self.attend(views.first, tokens, cached=views.first is inputs)
        return self.select(logits, self.attend(self._second(views), tokens))

    @staticmethod
    def _second(views: Views) -> Tensor:
        """The second view, without which no tokens can be selected."""
        if views.second is None:
            raise ValueError(
                'StableKeypoints has no second view of the images: set '
                '`view_transform` in the model config'
            )
        return views.second

    def outputs_for_losses(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, object]:
        """All named outputs that the losses may ask for, see the class."""
        views = self.views(inputs, data_samples)
        warped = self._second(views)
        logits = self.attend(views.first, cached=views.first is inputs)
        warped_logits = self.attend(warped)
        selected = self.select(logits, warped_logits)
        outputs: dict[str, object] = {'warp': views.warp}
        for prefix, images, found in (
            ('', views.first, logits),
            ('warped_', warped, warped_logits),
        ):
            maps = attention_maps_by_rows(found, self.head.map_size, selected)
            size = size_of(images)
            geometry = self.head.geometry(size, size_of(maps))
            radius = self.head.centroid_radius or 5.0
            outputs['geometry'] = geometry
            outputs[f'{prefix}images'] = images
            outputs[f'{prefix}token_maps'] = maps
            outputs[f'{prefix}heatmaps'] = self.head.locate(maps, size)[1]
            outputs[f'{prefix}keypoints'] = peak_centroids(maps, geometry, radius)
        return outputs

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Maps of the keypoints' tokens, averaged over ``test_cfg.num_views``.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            One tensor, shape (B, K, h, w).
        """
        return (self.keypoint_maps(inputs),)

    def keypoint_maps(self, inputs: Tensor, untrained: bool = False) -> Tensor:
        """Maps of the keypoints' tokens (section 3.4).

        Args:
            inputs: network input, shape (B, 3, H, W).
            untrained: of untrained tokens, chosen in the same way.

        Returns:
            Attention in [0, 1], shape (B, K, h, w); 0 where no view shows anything.
        """
        tokens = None
        if untrained:
            seed = self.test_cfg.get('untrained_seed', 0)
            tokens = self.head.untrained_tokens(seed)
        batch, size = len(inputs), self.head.map_size
        indices = self.head.chosen_indices(untrained).expand(batch, -1)
        if not self.test_cfg.get('num_views', 0):
            logits = self.attend(inputs, tokens, True)
            return attention_maps_by_rows(logits, size, indices)
        view_size = tuple(self.test_cfg.get('view_map_size', size))
        aggregator = ViewAggregator(self.head.geometry(size_of(inputs), view_size))
        for warp in self._test_views(inputs):
            view = warp.images(inputs, self.view_transform.padding_mode)
            maps = attention_maps_by_rows(self.attend(view, tokens), size, indices)
            aggregator.add(maps, warp)
        return aggregator.result()

    def test_warps(self, image_shape: Sequence[int]) -> AffineWarp:
        """The random warps of a test, the same for every image.

        Args:
            image_shape: (3, H, W) of the network input. No seed is touched.

        Returns:
            ``num_views`` warps, on the CPU.
        """
        number = self.test_cfg['num_views']
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.test_cfg.get('view_seed', 0))
            like = torch.empty(number, *image_shape, device='cpu')
            return self.view_transform.sample(like)  # type: ignore[no-any-return]

    def _test_views(self, inputs: Tensor) -> Iterator[AffineWarp]:
        """Each warp of a test, for all images."""
        warps = self.test_warps(inputs.shape[1:])
        for affine in warps.affine.to(inputs.device):
            yield replace(warps, affine=affine.expand(len(inputs), -1, -1))

    def _untrained_instances(
        self, inputs: Tensor, data_samples: list[PoseDataSample]
    ) -> list[InstanceData]:
        maps = self.keypoint_maps(inputs, untrained=True)
        # Without test_cfg there are instances only.
        return self.head.predict((maps,), data_samples)  # type: ignore[return-value]
