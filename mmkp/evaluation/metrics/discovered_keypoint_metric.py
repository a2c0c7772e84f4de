# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The one metric for keypoints that were discovered without labels."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.evaluation.functional import (
    CollapseAdvice,
    CollapseLimits,
    DiscoveryReport,
    KeypointSamples,
    RegressionProtocol,
    evaluate_discovery,
    get_protocol,
    pairs_of,
)
from mmkp.evaluation.functional.discovery_report import (
    DETECTOR,
    MEAN_POSE,
    UNTRAINED,
)
from mmkp.evaluation.functional.discovery_shares import Body, add_shares, body_shares
from mmkp.evaluation.functional.image_groups import add_group_errors, group_errors
from mmkp.evaluation.functional.swap_shares import (
    add_swapped_keypoints,
    add_swapped_points,
)
from mmkp.ops.finite import finite_or_none

from .evaluation_record import EvaluationRecord, KeypointGroups
from .evaluation_sets import split_records, to_samples, untrained_keypoints
from .keypoint_certainty import measure_collapse
from .object_keypoints import object_shares, object_view


@METRICS.register_module()
class DiscoveredKeypointMetric(BaseMetric):
    """Regress annotated from discovered keypoints and report the error.

    Discovered keypoints have no names. The field therefore fits a linear map
    from them to annotated keypoints on one set of images and scores it on
    another (Thewlis et al., ICCV 2017, section 4). Both sets come through one
    dataloader, see ``DiscoveryEvaluationDataset``. Beside the forward error
    stand the error of the mean pose, that of the untrained detector (where the
    model provides ``untrained_keypoints``), the backward error, few-shot errors
    and signs of collapse; a figure without its baselines says little. A sign of
    collapse beyond its limit is a warning that says which loss weight or setting to
    change, as that of :class:`KeypointCollapseMetric`.

    All coordinates are taken as fractions of the crop that the detector saw,
    errors in image pixels over the protocol's normaliser, and reported in the
    protocol's unit (percent in most).

    Args:
        protocol: ``'mafl'``, ``'celeba'``, ``'300w'``, ``'aflw'``, ``'cub'``,
            ``'human36m'``, ``'taichi'``, ``'deepfashion'`` or ``'generic'``.
        variant: Whose evaluation code to follow: ``'autolink'``,
            ``'stable_keypoints'``, ``'lmdis'`` or ``'scops'``.
        protocol_options: Fields of
            :class:`~mmkp.evaluation.functional.RegressionProtocol` to change.
        keypoint_groups: Annotated points to use, in the order the protocol
            expects; a group of indices stands for the mean of its points, such
            as the six points around an eye. Default: all as they are.
        error_groups: Name -> indices of the points after ``keypoint_groups`` whose
            mean error is a figure of its own, ``forward_<name>``.
        object_share: Whether to report the share of keypoints on the object,
            ``on_object`` in percent; needs segmentations in COCO's format, or
        mask_folder: a folder of masks, ``<name of the image>.png``.
        near_body: Distances, as shares of the crop's side, within which keypoints of a
            limb are counted, with those in the trunk: ``near_body_3`` in percent for
            .03. Limbs are the links of the annotated points.
        trunk: Indices of the annotated points at the corners of the trunk, in order.
        image_groups: Regular expression whose group in round brackets tells by the name
            of a file whom it shows: ``forward_groups`` is the mean over animals
            (or people) of the forward error of each, which is logged.
        pairs: Index pairs of discovered keypoints for ``keypoints_swapped``, the
            percentage of images in which their sides are exchanged; default: those of
            the moment of the model's :class:`FlipConsistencyLoss`. ``swapped`` is the
            same of annotated points, where the data set to score has left and right.
        shots: Numbers of annotated images for few-shot figures.
        num_draws: Random draws for each number of images.
        seed: Seed of these draws.
        collapse_limits: Fields of
            :class:`~mmkp.evaluation.functional.CollapseLimits` to change.
        outfile_prefix: Write all figures to ``<prefix>.<protocol>.json``.
        collect_device: ``'cpu'`` or ``'gpu'``, for distributed evaluation.
        prefix: Prefix of the figures' names. Default: the protocol's name. Set it
            when an evaluator holds two variants of one protocol.

    Raises:
        ValueError: If the protocol, the variant or an option does not exist.
    """

    def __init__(
        self,
        protocol: str = 'generic',
        variant: str = 'autolink',
        protocol_options: dict[str, Any] | None = None,
        keypoint_groups: KeypointGroups | None = None,
        shots: Sequence[int] = (1, 5, 10, 20, 50),
        num_draws: int = 10,
        seed: int = 0,
        collapse_limits: dict[str, float] | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        error_groups: Mapping[str, Sequence[int]] | None = None,
        object_share: bool = False,
        mask_folder: str | None = None,
        near_body: Sequence[float] = (),
        trunk: Sequence[int] = (),
        image_groups: str | None = None,
        pairs: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self.protocol: RegressionProtocol = get_protocol(
            protocol, variant, **(protocol_options or {})
        )
        super().__init__(collect_device, prefix or self.protocol.name)
        if len(tuple(shots)) and num_draws < 1:
            raise ValueError(f'num_draws={num_draws} must be at least 1.')
        self.variant = variant
        self.keypoint_groups = keypoint_groups
        self.shots = tuple(shots)
        self.num_draws = num_draws
        self.seed = seed
        self.collapse_limits = CollapseLimits(**(collapse_limits or {}))
        self.judged_model: Any = None  # given by JudgedModelHook, for the advice
        self.outfile_prefix = outfile_prefix
        self.error_groups = dict(error_groups or {})
        self.object_share = object_share or mask_folder is not None
        self.mask_folder = mask_folder
        self.near_body, self.trunk = tuple(near_body), tuple(trunk)
        self.image_groups = image_groups
        self.pairs = pairs
        if self.near_body and keypoint_groups is not None:
            raise ValueError('near_body needs the points as annotated: leave out one')

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the keypoints of a batch.

        Args:
            data_batch: Unused.
            data_samples: Predicted ``PoseDataSample`` objects as dicts.

        Raises:
            ValueError: If a sample cannot be evaluated; the image is named.
        """
        for data_sample in data_samples:
            record = EvaluationRecord.from_data_sample(
                data_sample, self.keypoint_groups
            )
            if self.object_share and record.purpose == 'score':
                view = object_view(data_sample, record.name, self.mask_folder)
                record = replace(record, view=view)
            self.results.append(record)

    def compute_metrics(self, results: list[EvaluationRecord]) -> dict[str, float]:
        """Fit, score, log the table and return the figures.

        Args:
            results: Records of all images from all processes, in any order;
                images that a sampler repeated count once.

        Returns:
            Figures without prefix: ``forward``, ``forward_mean_pose``,
            ``forward_untrained``, ``backward``, ``forward_5_shot_median``, ...

        Raises:
            ValueError: If there is nothing to fit or to score, or images
                disagree about the number of keypoints.
        """
        logger = MMLogger.get_current_instance()
        unique = {record.key: record for record in results}
        records = [unique[key] for key in sorted(unique)]
        self._warn_about_nan(records, logger)
        fit_records, score_records = split_records(records)
        fit, score = to_samples(fit_records), to_samples(score_records)
        untrained = untrained_keypoints(fit_records, score_records)
        report = evaluate_discovery(
            self.protocol,
            fit,
            score,
            untrained,
            self.shots,
            self.num_draws,
            self.seed,
            self.error_groups,
        )
        if self.image_groups is not None:
            errors = group_errors(
                self.protocol, fit, score, untrained, self.image_groups
            )
            add_group_errors(report, errors)
        self._add_collapse(report, score_records)
        report.point_names = self._point_names(score.num_annotated)
        columns = {
            DETECTOR: score.discovered,
            MEAN_POSE: np.broadcast_to(
                fit.discovered.mean(axis=0), score.discovered.shape
            ),
        }
        if untrained is not None:
            columns[UNTRAINED] = untrained[1]
        self._add_shares(report, score_records, score, columns)
        self._add_swaps(report, fit)
        for remark in report.remarks:
            logger.warning(f'{self.prefix}: {remark}')
        logger.info(f'{type(self).__name__} ({self.variant})\n{report.table()}')
        self._write(report, logger)
        return report.figures()

    def _add_collapse(
        self, report: DiscoveryReport, records: list[EvaluationRecord]
    ) -> None:
        """Add how sure the detector is, and a remark on each sign of collapse."""
        statistics = measure_collapse(
            [record.discovered for record in records],
            [record.certainty for record in records],
        )
        report.collapse[DETECTOR] = statistics
        report.remarks += self.collapse_limits.warnings(
            statistics, CollapseAdvice(self.judged_model)
        )

    def _add_shares(
        self,
        report: DiscoveryReport,
        records: list[EvaluationRecord],
        samples: KeypointSamples,
        columns: dict[str, np.ndarray],
    ) -> None:
        """Add the shares of keypoints on the object and near the body."""
        if self.object_share:
            views = [record.view for record in records if record.view]
            add_shares(report, 'on_object', *object_shares(views, columns))
        for distance in self.near_body:
            body = Body(self._links(), self.trunk, distance)
            name = f'near_body_{100 * distance:g}'
            add_shares(report, name, *body_shares(samples, columns, body))

    def _add_swaps(self, report: DiscoveryReport, fit: KeypointSamples) -> None:
        """Add how often annotated points and discovered keypoints change sides."""
        if self.protocol.permutation is not None:
            return  # sides are settled, not judged
        sided = (self.dataset_meta or {}).get('annotated_pairs', ())
        if len(sided) and self.keypoint_groups is None:
            add_swapped_points(report, sided, report.point_names)
        pairs = self.pairs
        if pairs is None:
            losses = getattr(self.judged_model, 'losses', {})
            found = [getattr(losses[name], 'partners', None) for name in losses]
            tables = [table.tolist() for table in found if table is not None]
            pairs = pairs_of(tables[0]) if tables else ()
        add_swapped_keypoints(report, fit, pairs)

    def _point_names(self, number: int) -> tuple[str, ...]:
        """Names of the annotated points, where the data set knows them."""
        names = (self.dataset_meta or {}).get('annotated_names', ())
        if self.keypoint_groups is not None and names:
            groups = [np.atleast_1d(group) for group in self.keypoint_groups]
            names = ['+'.join(names[i] for i in group) for group in groups]
        return tuple(names) if len(names) == number else ()

    def _links(self) -> list[list[int]]:
        links = (self.dataset_meta or {}).get('annotated_links', ())
        if not links:
            raise ValueError(
                'near_body needs limbs: the annotation file (skeleton) or the metainfo '
                'of the data set to score is to name the links of its points.'
            )
        return [list(link) for link in links]

    def _write(self, report: DiscoveryReport, logger: MMLogger) -> None:
        if self.outfile_prefix is None:
            return
        path = Path(f'{self.outfile_prefix}.{self.protocol.name}.json')
        path.parent.mkdir(parents=True, exist_ok=True)
        content = dict(variant=self.variant, **report.to_dict())
        path.write_text(json.dumps(finite_or_none(content), indent=1))
        logger.info(f'figures written to {path}')

    def _warn_about_nan(
        self, records: list[EvaluationRecord], logger: MMLogger
    ) -> None:
        damaged = [record for record in records if record.num_nan]
        if damaged:
            logger.warning(
                f'{self.prefix}: {sum(r.num_nan for r in damaged)} annotated keypoints '
                f'in {len(damaged)} images are marked visible but not finite and are '
                f'treated as invisible; the first is in {damaged[0].name}.'
            )
