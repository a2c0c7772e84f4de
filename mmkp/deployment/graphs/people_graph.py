# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Part affinity models as one graph: from images to peaks and scored limbs."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.codecs import PartAffinityField
from mmkp.deployment.graphs.normalization import InputNormalization
from mmkp.models.heads.mirrored_maps import average_with_mirrored
from mmkp.models.heads.part_affinity_head import PartAffinityHead
from mmkp.ops.part_affinity import recovery
from mmkp.ops.part_affinity.tensor_limbs import batch_limbs
from mmkp.ops.part_affinity.tensor_peaks import batch_peaks, thin_batch_peaks

# Higher than any peak.
_NO_PEAK = 1e9


class PeopleOutputs(NamedTuple):
    """What a :class:`PeopleGraph` gives, see there."""

    peaks: Tensor
    limbs: Tensor
    heatmaps: Tensor
    fields: Tensor


class PeopleGraph(nn.Module):
    """A part affinity model from images to what people are put together of.

    Peaks and line integrals (Cao et al., CVPR 2017, sections 2.2 and 2.4, eq. 10) are
    operations of the graph, with as many results as there are; what follows from
    limb to limb (matching, assembly, joining, recovery) is left to whoever runs the
    graph, by :func:`grouping_rules`.

    Args:
        model: bottom-up estimator with a :class:`PartAffinityHead`.
        normalized_inside: whether images are BGR pixels of 0 to 255, or network input
            that was normalized before.

    Raises:
        ValueError: a model of another kind, or one that is tested at several sizes.
    """

    def __init__(self, model: Any, normalized_inside: bool = True) -> None:
        super().__init__()
        head = model.head
        if not isinstance(head, PartAffinityHead) or not isinstance(
            head.decoder, PartAffinityField
        ):
            raise ValueError(
                f'only people of a PartAffinityHead with the codec PartAffinityField '
                f'are put together outside of Python, not those of a '
                f'{type(head).__name__}'
            )
        test_cfg = model.test_cfg or {}
        if test_cfg.get('multiscale_test'):
            raise ValueError(
                'test_cfg.multiscale_test is on: a graph takes images of one size. '
                'Export with model.test_cfg.multiscale_test=False'
            )
        self.normalization = (
            InputNormalization(model.data_preprocessor)
            if normalized_inside
            else nn.Identity()
        )
        self.backbone, self.head = model.backbone, head
        self.neck = model.neck if model.with_neck else None
        self.flip_test = bool(test_cfg.get('flip_test'))

    def forward(self, images: Tensor) -> PeopleOutputs:
        """Find peaks and limbs.

        Args:
            images: (B, 3, H, W) float32; for a flip test W is a multiple of the stride.

        Returns:
            ``peaks`` (P, 5): image, keypoint, x and y in cells, score; ``limbs``
            (M, 4): limb, row of the peak where it starts, row where it ends, score;
            and the ``heatmaps`` (B, K + 1, h, w) and ``fields`` (B, 2 L, h, w) that
            they were found in, enlarged where the codec's profile says so.
        """
        inputs = self.normalization(images)
        heatmaps, fields = self._maps(inputs)
        if self.flip_test:
            mirrored = self._maps(inputs.flip(-1))
            heatmaps, fields = average_with_mirrored(
                (heatmaps, fields), mirrored, self.head.decoder.skeleton
            )
        decoder = self.head.decoder.pose_decoder
        rules = decoder.rules
        heatmaps, fields = (
            self._prepared(m, rules.upsample) for m in (heatmaps, fields)
        )
        peaks = batch_peaks(
            heatmaps[:, : decoder.skeleton.num_keypoints],
            rules.peak_threshold,
            rules.max_peaks,
            rules.upsample <= 1,
        )
        if rules.min_peak_distance > 0:
            peaks = thin_batch_peaks(peaks, rules.min_peak_distance)
        limbs = batch_limbs(fields, peaks, decoder.tables, decoder.field_offset, rules)
        return PeopleOutputs(peaks.rows, limbs, heatmaps, fields)

    def _maps(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Heatmaps and fields of the network."""
        features = self.backbone(inputs)
        if self.neck is not None:
            features = self.neck(features)
        return self.head(features)

    @staticmethod
    def _prepared(maps: Tensor, upsample: float) -> Tensor:
        """Maps in float32, finite and enlarged."""
        maps = torch.nan_to_num(maps.float(), 0.0, 0.0, 0.0)
        if upsample <= 1:
            return maps
        return F.interpolate(
            maps, scale_factor=upsample, mode='bicubic', align_corners=False
        )


def grouping_rules(codec: PartAffinityField) -> dict[str, Any]:
    """By which rules peaks and limbs of a :class:`PeopleGraph` become people.

    Args:
        codec: of the model's head.

    Returns:
        Plain data for ``export.json``. Numbers of the runner:

        - ``cell``: input pixels a cell; the middle of cell g is pixel
          ``cell * g + (cell - 1) / 2``; ``field_offset``: cells by which a place in
          the fields lies right of and below the same place in the heatmaps.
        - ``limbs``: L pairs of keypoints, ``assembly_order`` (L,), ``redundant_limbs``;
          ``missing_links``: triples, two keypoints and the one between them;
          ``edges`` (2 L): target, other keypoint, limb, and the sign, 1 where the limb
          leads to the target; ``flip_indices`` (K,).
        - ``rules``: those of :class:`GroupingRules` that the graph leaves open.
        - ``search``: numbers of the search along fields, see
          :mod:`mmkp.ops.part_affinity.recovery`; its ``share`` is 0 where nothing is
          searched, so that what is found counts as absent.
        - ``outputs``: for each keypoint that is given out its place among the K, -1
          for one that no heatmap stands for, which lies in the middle of the person.
    """
    decoder = codec.pose_decoder
    rules, tables, skeleton = decoder.rules, decoder.tables, decoder.skeleton
    names = (
        'merge', 'max_gap', 'min_single_score', 'search_missing', 'min_keypoints',
        'min_score', 'scores_by_sum',
    )  # fmt: skip
    kept = {name: getattr(rules, name) for name in names}
    # Without fragments to join, no single peak is one.
    least = rules.min_single_score if rules.max_gap > 0 else _NO_PEAK
    edges = zip(
        tables.edge_target.tolist(),
        tables.edge_other.tolist(),
        tables.edge_limb.tolist(),
        map(int, tables.edge_sign),
        strict=True,
    )
    return dict(
        cell=decoder.cell,
        field_offset=decoder.field_offset,
        limbs=[[int(a), int(b)] for a, b in skeleton.limbs],
        assembly_order=tables.assembly_order.tolist(),
        redundant_limbs=[int(limb) for limb in skeleton.redundant_limbs],
        missing_links=tables.missing_links.tolist(),
        edges=[list(edge) for edge in edges],
        flip_indices=tables.flip_indices.tolist(),
        rules=dict(kept, min_single_score=least),
        search=dict(
            num_steps=recovery.NUM_STEPS,
            reach=recovery.REACH,
            least_reach=recovery.LEAST_REACH,
            least_field=recovery.LEAST_FIELD,
            share=recovery.SHARE if rules.search_missing else 0.0,
            taken_radius=recovery.TAKEN_RADIUS,
        ),
        outputs=(
            skeleton.source_places
            if codec.output_keypoints == 'source'
            else list(range(skeleton.num_keypoints))
        ),
    )
