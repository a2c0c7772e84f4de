# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What one run reaches: its figures, their controls, and what it costs."""

import contextlib
import io
import logging
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmpose.registry import DATASETS, METRICS
from torch import nn

from mmkp.apis.comparison_data import METRIC, ComparisonData
from mmkp.apis.run import Run
from mmkp.datasets import DiscoveryEvaluationDataset
from mmkp.engine import load_checkpoint_file
from mmkp.engine.hooks.training_clock import CPU_KEY
from mmkp.engine.log_analysis import read_scalars
from mmkp.evaluation.metrics.cross_fitted_metric import CrossFittedMetric
from mmkp.evaluation.score_keypoints import UPRIGHT, score_keypoints

# Images for the score without labels, and to time the prediction of.
UNLABELED, TIMED, BATCH = 96, 32, 16


@dataclass
class ComparedRun:
    """A row of a comparison.

    Args:
        name: of the run.
        path: its folder.
        figures: what was measured, by the names of :meth:`DiscoveryReport.figures`, and
            ``ridge``, ``score``, ``cpu_minutes``, ``wall_minutes``, ``parameters``,
            ``weights_mb``, ``predict_ms``.
        unit: of the errors, in words.
        higher_is_better: whether they are shares of correct points.
        own: what else the run's own evaluation says, by name.
        error: why there are no figures, '' where there are.
        counts: numbers of images to fit on and to score.
    """

    name: str
    path: str
    figures: dict[str, float] = field(default_factory=dict)
    unit: str = ''
    higher_is_better: bool = False
    own: dict[str, float] = field(default_factory=dict)
    error: str = ''
    counts: dict[str, int] = field(default_factory=dict)


def measure_run(
    run: Run,
    row: ComparedRun,
    data: ComparisonData | None,
    shots: Sequence[int],
    seed: int = 0,
    device: str | None = None,
    rotation_std: float = UPRIGHT,
) -> None:
    """Evaluate a run.

    Args:
        run: the run.
        row: gets the figures.
        data: what all runs are evaluated on; None: what the run's config says.
        shots: numbers of labeled images of the few-shot curve.
        seed: of the draws of these images, and of the warps of the score.
        device: such as 'cpu'; by default a GPU where there is one.
        rotation_std: of the score's warps in degrees, see :func:`score_keypoints`.

    Raises:
        OSError, ValueError, RuntimeError: of what is wrong with the run or the data.
    """
    cfg = run.config
    if data is not None and cfg.get('data_mode') == 'bottomup':
        raise ValueError(
            'it finds all people of whole images, from whose keypoints none are '
            'regressed: compare it by its own evaluation, without data'
        )
    model = run.load_model(device)
    row.figures.update(costs(run, model))
    if data is not None:
        dataset_config = data.dataset_for(cfg)
        evaluators = [data.evaluator]
    else:
        dataset_config = cfg.test_dataloader.dataset.to_dict()
        found = cfg.get('test_evaluator') or []
        evaluators = list(found) if isinstance(found, list | tuple) else [found]
    with _quiet():
        dataset = DATASETS.build(dataset_config)
    samples = _to_score(dataset, UNLABELED)
    if hasattr(model, 'detect'):
        scores = score_keypoints(model, samples, seed=seed, rotation_std=rotation_std)
        row.figures['score'] = scores.score
    row.figures['predict_ms'] = _time(model, samples[:TIMED])
    metrics = [_metric(deepcopy(dict(e)), shots, seed) for e in evaluators]
    _evaluate(model, dataset, metrics, row)


def costs(run: Run, model: nn.Module) -> dict[str, float]:
    """What a run took and takes.

    Args:
        run: the run.
        model: its model.

    Returns:
        ``parameters``, ``weights_mb`` of parameters and buffers, and, where its files
        tell, ``cpu_minutes`` (of all threads) and ``wall_minutes`` of the training.
    """
    tensors = [*model.parameters(), *model.buffers()]
    found = dict(
        parameters=float(sum(p.numel() for p in model.parameters())),
        weights_mb=sum(t.numel() * t.element_size() for t in tensors) / 2**20,
    )
    seconds = None
    if run.checkpoint.suffix != '.safetensors':
        content = load_checkpoint_file(run.checkpoint, 'cpu')
        seconds = content.get(CPU_KEY) if isinstance(content, dict) else None
    if seconds is not None:
        found['cpu_minutes'] = float(seconds) / 60
    elif 'cpu_minutes' in run.info:
        found['cpu_minutes'] = float(run.info['cpu_minutes'])
    for folder in (run.path, run.path / 'training'):
        with contextlib.suppress(FileNotFoundError, ValueError):
            times = read_scalars(folder).get('time', np.empty((0, 2)))
            steps = np.diff(times[:, 0], prepend=0.0)
            found['wall_minutes'] = float(steps @ times[:, 1]) / 60
    return found


def _metric(config: dict[str, Any], shots: Sequence[int], seed: int) -> Any:
    """The metric of a config; that of discovered keypoints with the errors by ridge."""
    if config.get('type') != METRIC:
        return METRICS.build(config)
    del config['type']
    config.update(shots=tuple(shots), seed=seed, outfile_prefix=None)
    return CrossFittedMetric(**config)


def _evaluate(
    model: Any, dataset: Any, metrics: Sequence[Any], row: ComparedRun
) -> None:
    """Predict all images of a data set and let metrics judge."""
    if not metrics:
        return
    evaluator = Evaluator(list(metrics))
    evaluator.dataset_meta = dataset.metainfo
    for metric in metrics:
        if hasattr(metric, 'judged_model'):
            metric.judged_model = model
    controlled = hasattr(model, 'with_untrained_control')
    if controlled:
        model.with_untrained_control = True
    with torch.no_grad(), _quiet():
        for batch in _batches(dataset):
            evaluator.process(model.test_step(pseudo_collate(batch)), batch)
        figures = evaluator.evaluate(len(dataset))
    if controlled:
        model.with_untrained_control = False
    for metric in metrics:
        prefix = f'{metric.prefix}/'
        found = {k: float(v) for k, v in figures.items() if k.startswith(prefix)}
        if isinstance(metric, CrossFittedMetric):
            row.unit = metric.protocol.unit
            row.higher_is_better = metric.protocol.higher_is_better
            row.figures.update((k.removeprefix(prefix), v) for k, v in found.items())
            lengths = {role: len(dataset.indices_of(role)) for role in dataset.ROLES}
            row.counts.update(lengths)
        else:
            row.own.update(found)


def _to_score(dataset: Any, most: int) -> list[dict]:
    """So many samples of the images to score, spread evenly."""
    chosen: Sequence[int] = range(len(dataset))
    if isinstance(dataset, DiscoveryEvaluationDataset):
        chosen = dataset.indices_of('score')
    places = np.linspace(0, len(chosen) - 1, min(most, len(chosen))).round().astype(int)
    return [dataset[chosen[place]] for place in places]


def _time(model: Any, samples: Sequence[dict]) -> float:
    """CPU milliseconds, of all threads, that the prediction of an image takes."""
    with torch.no_grad():
        for batch in (samples[:1], samples):  # the first one warms up
            start = time.process_time()
            for begin in range(0, len(batch), BATCH):
                model.test_step(pseudo_collate(batch[begin : begin + BATCH]))
            spent = time.process_time() - start
    return 1000 * spent / len(samples)


def _batches(dataset: Any) -> Iterator[list[dict]]:
    samples = (dataset[index] for index in range(len(dataset)))
    while batch := list(islice(samples, BATCH)):
        yield batch


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what data sets print, and tables of metrics, from the terminal."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
