# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Learned tokens, and keypoints from the maps of those that were chosen."""

import warnings
from collections.abc import Sequence

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import BaseHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.heatmaps.peaks import peak_centroids, peak_positions
from mmkp.ops.precision import full_precision


@MODELS.register_module()
class TokenHead(BaseHead):
    """The learned tokens of StableKeypoints and which of them are the keypoints.

    StableKeypoints (Hedlin et al., CVPR 2024, section 3): many tokens are learned, and
    the K of them that are chosen most often over the training images become the
    keypoints (:class:`TokenSelectionHook`). A keypoint lies at the peak of the map of
    its token's attention.

    The tokens are made when their width is known: by the argument, or by the model
    from what they attend to.

    Args:
        num_tokens: number N of learned tokens.
        num_keypoints: number K of keypoints to discover, at least 1.
        token_width: channels C of a token; None for what the attention needs.
        map_size: (W, H) in cells to which attention is upsampled.
        centroid_radius: take the mean position, weighted by the attention, of the
            cells no further than this from the peak, in cells; None for the peak.
        init_std: standard deviation of the normal numbers that tokens start from.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: K below 1 or above N, or a map without cells.
    """

    tokens: Tensor
    token_indices: Tensor
    untrained_token_indices: Tensor

    def __init__(
        self,
        num_tokens: int = 500,
        num_keypoints: int = 10,
        token_width: int | None = None,
        map_size: tuple[int, int] = (128, 128),
        centroid_radius: float | None = None,
        init_std: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not 1 <= num_keypoints <= num_tokens:
            raise ValueError(
                f'num_keypoints={num_keypoints} of num_tokens={num_tokens}: at least '
                'one keypoint, and no more than there are tokens'
            )
        if min(map_size) < 1:
            raise ValueError(f'map_size={tuple(map_size)} has no cells')
        self.num_tokens = num_tokens
        self.num_keypoints = num_keypoints
        self.map_size = (int(map_size[0]), int(map_size[1]))
        self.centroid_radius = centroid_radius
        self.init_std = init_std
        for name in ('token_indices', 'untrained_token_indices'):
            self.register_buffer(name, torch.full((num_keypoints,), -1))
        if token_width is not None:
            self.set_token_width(token_width)

    @property
    def num_channels(self) -> int | None:
        """Channels C of a token; None before they are known."""
        return self.tokens.shape[1] if 'tokens' in self._parameters else None

    def set_token_width(self, token_width: int) -> None:
        """Make the tokens, or check those that are there.

        Args:
            token_width: channels C that the attention needs.

        Raises:
            ValueError: the config says otherwise.
        """
        if 'tokens' not in self._parameters:
            self.tokens = nn.Parameter(torch.empty(self.num_tokens, token_width))
            nn.init.normal_(self.tokens, std=self.init_std)
        elif self.tokens.shape[1] != token_width:
            raise ValueError(
                f'token_width={self.tokens.shape[1]} in the head, but the backbone '
                f'attends to tokens of {token_width} channels: leave token_width out'
            )

    def init_weights(self) -> None:
        """Draw the tokens anew."""
        nn.init.normal_(self.tokens, std=self.init_std)
        super().init_weights()

    def untrained_tokens(self, seed: int) -> Tensor:
        """Tokens as training starts from, the control beside every figure.

        Args:
            seed: of the generator of random numbers; the global one is not touched.

        Returns:
            Tokens, shape (N, C), on the device of the learned ones.
        """
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(self.tokens.shape, generator=generator) * self.init_std
        return drawn.to(self.tokens)

    def chosen_indices(self, untrained: bool = False) -> Tensor:
        """Which tokens are the keypoints.

        Args:
            untrained: of the untrained tokens.

        Returns:
            Indices, shape (K,), int64; the first K tokens, with a warning, as long as
            none were chosen.
        """
        name = 'untrained_token_indices' if untrained else 'token_indices'
        indices = getattr(self, name)
        if (indices >= 0).all():
            return indices
        warnings.warn(
            f'no tokens were chosen yet ({name} of TokenHead), the first '
            f'{self.num_keypoints} of {self.num_tokens} stand in: train with '
            'TokenSelectionHook in custom_hooks, which chooses them from the '
            'training images',
            stacklevel=2,
        )
        return torch.arange(self.num_keypoints, device=indices.device)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Take the maps of the keypoints' tokens.

        Args:
            feats: what the model extracts, the last one (B, K, h, w).

        Returns:
            Attention in [0, 1], shape (B, K, h, w), at least float32.
        """
        return full_precision(feats[-1])

    def geometry(
        self, image_size: tuple[int, int], map_size: tuple[int, int]
    ) -> MapGeometry:
        """Where the cells of the maps lie: in the middle of what they cover.

        Args:
            image_size: (W, H) of the network input in pixels.
            map_size: (w, h) of the maps in cells.
        """
        return MapGeometry.cell_centers(image_size, map_size)

    def locate(
        self, maps: Tensor, image_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Turn attention maps into keypoints.

        Args:
            maps: attention, shape (B, K, h, w).
            image_size: (W, H) of the network input in pixels.

        Returns:
            Keypoints (x, y) in network-input pixels, (B, K, 2), and the maps as
            distributions over space, (B, K, h, w), both at least float32.
        """
        maps = full_precision(maps)
        geometry = self.geometry(image_size, size_of(maps))
        if self.centroid_radius is None:
            keypoints = peak_positions(maps, geometry)
        else:
            keypoints = peak_centroids(maps, geometry, self.centroid_radius)
        return keypoints, maps / maps.sum((-2, -1), keepdim=True).clamp_min(1e-12)

    def predict(
        self,
        feats: Sequence[Tensor],
        batch_data_samples: Sequence[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData] | tuple[list[InstanceData], list[PixelData]]:
        """Predict keypoints in network-input pixels.

        Args:
            feats: what the model extracts, the last one (B, K, h, w).
            batch_data_samples: B samples whose metainfo holds ``input_size``.
            test_cfg: ``output_heatmaps=True`` also returns the maps, each divided by
                its peak so that they can be looked at.

        Returns:
            B instances with ``keypoints`` (1, K, 2) and ``keypoint_scores`` (1, K),
            the height of the peak in [0, 1], numpy float32; with heatmaps, also B
            fields (K, h, w).
        """
        width, height = (int(side) for side in batch_data_samples[0].input_size)
        maps = self.forward(feats).detach()
        keypoints, _ = self.locate(maps, (width, height))
        peaks = torch.amax(maps, (-2, -1))
        instances = [
            InstanceData(keypoints=points[None], keypoint_scores=score[None])
            for points, score in zip(
                keypoints.detach().float().cpu().numpy(),
                peaks.detach().float().clamp(0, 1).cpu().numpy(),
                strict=True,
            )
        ]
        if not (test_cfg or {}).get('output_heatmaps', False):
            return instances
        drawn = maps / peaks[..., None, None].clamp_min(1e-12)
        place = dict(geometry=self.geometry((width, height), size_of(maps)))
        return instances, [PixelData(metainfo=place, heatmaps=each) for each in drawn]

    def loss(self, *args: object, **kwargs: object) -> dict:
        """Refuse: there is no annotation that this head could be compared with.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            'TokenHead has no loss of its own: put it in StableKeypoints, whose '
            '`losses` train its tokens'
        )
