# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The labeled images that runs are compared on: which to fit on, which to score."""

import contextlib
import io
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

from mmkp.engine.config_check import nearest
from mmkp.engine.config_names import configs_folder
from mmkp.evaluation.functional import get_protocol

EVALUATION = 'DiscoveryEvaluationDataset'
METRIC = 'DiscoveredKeypointMetric'


@dataclass(frozen=True)
class ComparisonData:
    """One data set and one protocol for all runs.

    Args:
        about: what the images are and how they are parted, a sentence.
        fit: config of the data set to fit on, without a pipeline.
        score: the same to score on.
        evaluator: config of the metric.
        crop: step of the pipeline that frames the objects, where the data need one.
        remarks: sentences on what is left out.
        whole: whether runs of whole images are shown whole images, not boxes.
    """

    about: str
    fit: dict[str, Any]
    score: dict[str, Any]
    evaluator: dict[str, Any]
    crop: dict[str, Any] | None = None
    remarks: list[str] = field(default_factory=list)
    whole: bool = False

    def dataset_for(self, cfg: Config) -> dict[str, Any]:
        """Show these images to a run as it was trained to see images.

        Args:
            cfg: of the run.

        Returns:
            Config of the data set, with the run's own test pipeline; boxes are those of
            the data set, unless the run frames the object itself.
        """
        own = cfg.test_dataloader.dataset
        pipeline = deepcopy(list(own.pipeline))
        frames = any(step['type'] == 'CutOutFigure' for step in pipeline)
        if self.crop and not frames:
            pipeline = [
                self.crop if step['type'] == 'GetBBoxCenterScale' else step
                for step in pipeline
            ]
        parts = {role: deepcopy(getattr(self, role)) for role in ('fit', 'score')}
        if self.whole and _sees_whole_images(own):
            for part in parts.values():
                part['box'] = 'image'
        number = own.get('num_keypoints') or cfg.get('num_keypoints')
        if number is None:  # named keypoints, by which the metric does not go
            number = cfg.model.head.get('num_keypoints', cfg.model.head.out_channels)
        return dict(
            type=EVALUATION,
            num_keypoints=number,
            pipeline=pipeline,
            **parts,
        )


def comparison_data(
    data: str | Path,
    images: str | Path | None = None,
    normalizer: Sequence[str] | None = None,
    seed: int = 0,
) -> ComparisonData:
    """Find the data set that a user names.

    Args:
        data: name or path of a config of ``configs/_base_/datasets`` with images to fit
            on and to score; or a COCO file, of whose images half are fitted on and half
            scored, at random.
        images: folder of the images of a COCO file; default: its own folder.
        normalizer: names of two points; errors are per cent of their distance.
            Default: what the config says, of a COCO file the side of the image.
        seed: by which a COCO file is parted.

    Returns:
        The data set and its protocol.

    Raises:
        FileNotFoundError: there is no such config or file.
        ValueError: it has no images to fit on and to score, or no such points.
    """
    if str(data).endswith('.json'):
        return _of_coco_file(Path(data), images, normalizer, seed)
    if images is not None:
        raise ValueError(
            f"a folder of images goes with a COCO file; '{data}' is a config, which "
            'has its own'
        )
    return _of_config(str(data), normalizer)


def _of_config(name: str, normalizer: Sequence[str] | None) -> ComparisonData:
    folder = configs_folder() / '_base_' / 'datasets'
    path = Path(name) if name.endswith('.py') else folder / f'{name}.py'
    if not path.is_file():
        names = [file.stem for file in folder.glob('*.py')]
        raise FileNotFoundError(
            f"data '{name}' is neither a COCO file (.json) nor a data set of {folder}: "
            + nearest(name, names)
        )
    cfg = Config.fromfile(path, lazy_import=False)
    dataset = cfg.get('test_dataloader', {}).get('dataset', {})
    evaluator = cfg.get('test_evaluator')
    if dataset.get('type') != EVALUATION or not _discovers(evaluator):
        raise ValueError(
            f"data '{name}' has no labeled images to fit on and to score "
            f'({EVALUATION}, {METRIC}): name another, or a COCO file'
        )
    remarks = []
    masks = evaluator.get('mask_folder')
    if masks and not Path(masks).is_dir():
        evaluator.mask_folder = None
        remarks.append(
            f"no share on the object: there are no masks in '{masks}', see {path}"
        )
    if normalizer is not None:
        options = dict(evaluator.get('protocol_options') or {})
        # Behind its first comma a unit says what the points are worth.
        _, comma, worth = options.get('unit', '').partition(',')
        options.update(_length(dataset.score.to_dict(), normalizer, name))
        options['unit'] += comma + worth
        evaluator.protocol_options = options
    elif _is_of_the_crop(evaluator):
        remarks.append(
            "errors are per cent of each run's own crop, and comparable where crops "
            'are alike; --normalizer with two points takes their distance instead'
        )
    return ComparisonData(
        f'{path.stem}: images to fit on and to score as its config says',
        dataset.fit.to_dict(),
        dataset.score.to_dict(),
        evaluator.to_dict(),
        cfg.get('crop'),
        remarks,
    )


def _sees_whole_images(dataset: Any) -> bool:
    """Whether a run's own images have no boxes."""
    boxed = dataset.get('bbox_file') or (dataset.get('detector') or {}).get('model')
    return dataset.type == 'UnlabeledImageDataset' and not boxed


def _is_of_the_crop(evaluator: Any) -> bool:
    """Whether a protocol measures in crops, which are those of each run."""
    options = dict(evaluator.get('protocol_options') or {})
    names = (evaluator.get('protocol', 'generic'), evaluator.get('variant', 'autolink'))
    return get_protocol(*names, **options).normalizer == 'crop'


def _length(
    dataset: dict[str, Any], normalizer: Sequence[str], name: str
) -> dict[str, Any]:
    """Options of a protocol that takes the distance of two points for its unit."""
    known = _built(dataset).metainfo['keypoint_name2id']
    for point in set(normalizer) - set(known):
        raise ValueError(f"{name} has no point '{point}', {nearest(point, known)}")
    pair = [known[point] for point in normalizer]
    return dict(normalizer=pair, unit=f'% of {" to ".join(normalizer)}')


def _built(dataset: dict[str, Any]) -> Any:
    """A data set without a pipeline; what its reader prints is kept back."""
    with contextlib.redirect_stdout(io.StringIO()):
        return DATASETS.build(dict(dataset, pipeline=[]))


def _discovers(evaluator: Any) -> bool:
    return isinstance(evaluator, dict) and evaluator.get('type') == METRIC


def _of_coco_file(
    path: Path,
    images: str | Path | None,
    normalizer: Sequence[str] | None,
    seed: int,
) -> ComparisonData:
    folder = Path(images) if images is not None else path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"the folder of images '{folder}' does not exist")
    config = dict(
        type='LandmarkDataset',
        ann_file=str(path.absolute()),
        data_prefix=dict(img=str(folder.absolute())),
        clip_boxes=False,
        test_mode=True,
    )
    dataset = _built(config)
    owners = [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]
    fit, score = halves(owners, seed)
    options: dict[str, Any] = dict(normalizer='image', unit='% of the side of images')
    if normalizer is not None:
        options = _length(config, normalizer, str(path))
    return ComparisonData(
        f'{path.name}: {len(fit)} objects to fit on, {len(score)} of other images to '
        f'score, halves at random by seed {seed}',
        dict(config, indices=fit),
        dict(config, indices=score),
        dict(type=METRIC, protocol='generic', protocol_options=options),
        whole=True,
    )


def halves(owners: Sequence[Any], seed: int) -> tuple[list[int], list[int]]:
    """Part objects in two, those of one image together.

    Args:
        owners: image of each object.
        seed: of the draw.

    Returns:
        Indices of the objects of one half of the images, and of the other.

    Raises:
        ValueError: there are fewer than two images.
    """
    known = list(dict.fromkeys(owners))
    if len(known) < 2:
        raise ValueError('one labeled image cannot be parted: two are needed at least')
    order = np.random.default_rng(seed).permutation(len(known))
    chosen = {known[index] for index in order[: (len(known) + 1) // 2]}
    places = range(len(owners))
    fit = [i for i in places if owners[i] in chosen]
    return fit, [i for i in places if owners[i] not in chosen]
