# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From discovered keypoints to named ones, by a few labels or corrections."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmkp.apis.corrections import is_corrections, read_corrections
from mmkp.apis.fine_tune import fine_tune
from mmkp.apis.label_report import report_labels
from mmkp.apis.label_source import chosen_labels, read_labels, write_coco
from mmkp.apis.labeled_objects import labeled_objects, with_image_files
from mmkp.apis.model import load_model
from mmkp.apis.predict_files import predict_files
from mmkp.apis.run import Run
from mmkp.apis.run_folders import new_folder
from mmkp.apis.shipped_models import open_run
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.named_model import CONFIG, named_config, named_metainfo, write_named
from mmkp.evaluation.functional.label_shapes import exchange, exchanged_sides
from mmkp.evaluation.functional.linear_regression import AffineMap
from mmkp.evaluation.functional.named_regression import fit_named
from mmkp.labels import LabelSet


def name(
    run: str | Path | Run,
    labels: str | Path,
    names: Sequence[str] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    finetune: float = 0.0,
    out: str | Path | None = None,
    overwrite: bool = False,
    device: str | None = None,
) -> Run:
    """Name the keypoints of a run: fit those of a few labeled images.

    Each named point is an affine function of all discovered ones, fitted by ridge
    regression. Labels that do not fit the others are told; where left and right are
    exchanged they are exchanged back before the fit.

    Args:
        run: of a discovery.
        labels: file of labels, or ``corrections.json`` of the run's page.
        names: which of the labels' keypoints to take, or, of corrections, the names of
            all that are kept; by default all, as they are named.
        pairs: names of left and right, where the names themselves do not tell.
        finetune: minutes to train the detector itself on the labels, with its own
            losses on images without.
        out: folder of the new run, see :func:`new_folder`.
        overwrite: whether to empty that folder.
        device: such as 'cpu'; by default a GPU where there is one.

    Returns:
        A run whose model predicts the named keypoints. Its ``figures`` are the errors
        of labels that were left out, and of the mean pose there; ``labels.csv`` has a
        row for each label.

    Raises:
        FileNotFoundError: the run, the labels or their images do not exist.
        ValueError: no labels, an unknown name, or corrections of another run.
    """
    run = open_run(run)
    given = _read(run, labels, names, pairs)
    folder = new_folder('name', run.path, out, overwrite)
    given = replace(given, labels=with_image_files(given.labels, folder))
    fitted = _fit(run, given, folder, device)
    metainfo = named_metainfo(
        given.labels.keypoint_names, given.labels.links, given.labels.swaps
    )
    annotations = write_coco(given.labels, given.boxes, folder / 'labels.json')
    cfg = named_config(run.config, metainfo, annotations, given.labels.root)
    checkpoint = write_named(cfg, run.checkpoint, fitted.regressor, metainfo, folder)
    if finetune:
        checkpoint = fine_tune(cfg, checkpoint, folder, finetune)
    named = Run.create(
        folder,
        'name',
        source=run.source,
        run=str(run.path),
        labels=str(labels),
        config=CONFIG,
        checkpoint=checkpoint.name,
        keypoint_names=given.labels.keypoint_names,
        links=given.labels.links,
        swaps=given.labels.swaps,
        figures=fitted.figures,
    )
    if run.source and Path(run.source).exists():
        model = named.load_model(device)
        predict_files(model, run.source, folder, draw=False)
    return named


@dataclass(frozen=True)
class _Given:
    """Labels, what the model sees of each object, and where they start from."""

    labels: LabelSet
    boxes: np.ndarray
    base: np.ndarray | None = None


@dataclass(frozen=True)
class _Fitted:
    """The regression and how good it is."""

    regressor: AffineMap
    figures: dict[str, Any]


def _read(
    run: Run,
    labels: str | Path,
    names: Sequence[str] | None,
    pairs: Sequence[tuple[str, str]] | None,
) -> _Given:
    """Read labels or corrections."""
    if not is_corrections(labels):
        found = chosen_labels(read_labels(labels, run.source), names, pairs)
        boxes = found.boxes if _sees_boxes(run.config, found) else np.nan * found.boxes
        return _Given(found, boxes)
    corrections = read_corrections(labels, run)
    found = corrections.labels
    if names is not None:
        if len(names) != len(found.keypoint_names):
            raise ValueError(
                f'{len(names)} names are given, {len(found.keypoint_names)} keypoints '
                f"are kept in '{labels}'"
            )
        found = replace(found, keypoint_names=list(names))
    return _Given(chosen_labels(found, None, pairs), found.boxes, corrections.weights)


def _sees_boxes(cfg: Config, labels: LabelSet) -> bool:
    """Whether the discovery saw boxes, or whole images."""
    if len(set(labels.image_index.tolist())) < len(labels):
        return True  # several objects in one image
    train = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    inner = train.get('dataset') or {}
    detector = (train.get('detector') or {}).get('model')
    if train.get('type') == 'UnlabeledImageDataset':
        return bool(train.get('bbox_file') or detector)
    return bool(inner) and inner.get('box') != 'image'


def _fit(run: Run, given: _Given, folder: Path, device: str | None) -> _Fitted:
    """Fit the labels, sides settled, and report on them."""
    labels, base = given.labels, None
    cfg = run.config
    exchanged: list[list[int]] = [[] for _ in range(len(labels))]
    if labels.swaps and len(labels) > 2:
        exchanged, _ = exchanged_sides(labels.keypoints, labels.swaps)
    chosen = [[labels.swaps[i] for i in some] for some in exchanged]
    points = [exchange(*one) for one in zip(labels.keypoints, chosen, strict=True)]
    settled = replace(labels, keypoints=np.stack(points))
    model = load_model(_discovering(cfg), run.checkpoint, device, check=False)
    objects = labeled_objects(model, settled, given.boxes)
    if given.base is not None:
        known = _known_map(run, objects.discovered.shape[2])
        spread = np.kron(given.base, np.eye(2))
        base = AffineMap(known.weights @ spread, known.offset @ spread)
    fit = fit_named(objects.discovered, objects.labels, objects.scales, base)
    figures = report_labels(labels, chosen, objects, fit, folder)
    for line in figures.pop('remarks'):
        print(line, file=sys.stderr)
    offset = np.where(np.isfinite(fit.regressor.offset), fit.regressor.offset, 0.5)
    return _Fitted(AffineMap(fit.regressor.weights, offset), figures)


def _discovering(cfg: Config) -> Config:
    """The config of the model that finds all discovered keypoints."""
    discovering = cfg.copy()
    discovering.model.pop('regressor', None)
    test_cfg = dict(cfg.model.get('test_cfg') or {})
    test_cfg.pop('output_keypoint_indices', None)
    discovering.model.test_cfg = test_cfg
    return discovering


def _known_map(run: Run, number: int) -> AffineMap:
    """What a run predicts from the keypoints that it discovers."""
    cfg = run.config.model
    if cfg.get('regressor'):
        state = load_checkpoint_file(run.checkpoint, 'cpu')['state_dict']
        weight, bias = (state[f'regressor.linear.{k}'] for k in ('weight', 'bias'))
        return AffineMap(weight.double().numpy().T, bias.double().numpy())
    kept = (cfg.get('test_cfg') or {}).get('output_keypoint_indices') or range(number)
    weights = np.kron(np.eye(number)[:, list(kept)], np.eye(2))
    return AffineMap(weights, np.zeros(weights.shape[1]))
