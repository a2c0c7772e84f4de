# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Score discovered keypoints of any code by the protocols of the literature.

The .npz file holds, for the images to fit on and those to score (n differs):

    fit_keypoints    (n, K, 2)  discovered, (x, y)
    fit_annotations  (n, G, 2)  annotated, (x, y); NaN where unknown
    score_keypoints, score_annotations
    optional: fit_visible, score_visible      (n, G) or (n, G, 2), 0 = unknown
              fit_untrained, score_untrained  (n, K, 2) before training
              fit_names, score_names          (n,) strings for messages

Coordinates are fractions of the crop, or pixels of the crop with --size.

    python tools/analysis_tools/evaluate_keypoints.py faces.npz --protocol mafl

With --annotations FIT.json SCORE.json, COCO-style files of one object an image, it
holds the predictions alone, in pixels of each image:

    filename    (n,) strings
    points      (n, K, 2)  discovered, (x, y)
"""

import argparse
import ast
import json
from pathlib import Path

import numpy as np

from mmkp.datasets.coco_check import landmark_category, landmark_names
from mmkp.datasets.coco_check.reading import read_coco
from mmkp.engine.cli import run_tool, whole_number
from mmkp.evaluation.functional import (
    PROTOCOLS,
    VARIANTS,
    DiscoveryReport,
    KeypointSamples,
    evaluate_discovery,
    get_protocol,
)
from mmkp.evaluation.predicted_samples import samples_of_predictions
from mmkp.labels import numbers_of, read_npz
from mmkp.ops.finite import finite_or_none


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', type=Path, help='.npz file, see above')
    parser.add_argument(
        '--annotations',
        type=Path,
        nargs=2,
        metavar=('FIT', 'SCORE'),
        help='COCO-style files to fit on and to score, for a file of predictions alone',
    )
    parser.add_argument('--protocol', default='generic', choices=list(PROTOCOLS))
    parser.add_argument('--variant', default='autolink', choices=VARIANTS)
    parser.add_argument(
        '--size',
        type=float,
        nargs='+',
        metavar='PX',
        help='side, or width and height, of the crop that coordinates are pixels of',
    )
    parser.add_argument(
        '--options',
        nargs='+',
        default=[],
        metavar='FIELD=VALUE',
        help="fields of the protocol to change, e.g. bias=True normalizer='(36, 45)'",
    )
    parser.add_argument(
        '--shots', type=whole_number(1), nargs='*', default=[1, 5, 10, 20, 50]
    )
    parser.add_argument('--num-draws', type=whole_number(1), default=10)
    parser.add_argument('--seed', type=whole_number(0), default=0)
    parser.add_argument('--out', type=Path, help='write all figures to this .json')
    return parser.parse_args(arguments)


def parse_options(options: list[str]) -> dict:
    """Turn ``FIELD=VALUE`` words into a dict.

    Args:
        options: Words; values are Python literals or plain strings.

    Returns:
        Field to value.

    Raises:
        ValueError: If a word has no ``=``.
    """
    parsed = {}
    for option in options:
        field, separator, text = option.partition('=')
        if not separator:
            raise ValueError(f'option {option!r} is not of the form FIELD=VALUE.')
        try:
            parsed[field] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            parsed[field] = text
    return parsed


def load_samples(
    path: Path, arrays: dict[str, np.ndarray], part: str, size: list[float] | None
) -> tuple[KeypointSamples, np.ndarray | None]:
    """Return the samples of one part and the untrained keypoints, if any.

    Args:
        path: The .npz file, for messages.
        arrays: Its contents.
        part: ``'fit'`` or ``'score'``.
        size: Side, or width and height, of the crop in pixels; None for fractions.

    Returns:
        Samples and untrained keypoints (n, K, 2) as fractions of the crop.

    Raises:
        ValueError: If an array is missing or misshapen.
    """
    for name in (f'{part}_keypoints', f'{part}_annotations'):
        if name not in arrays:
            raise ValueError(f'array {name!r} is missing; found {sorted(arrays)}.')
    crop = np.ones(2)
    if size is not None:
        if len(size) > 2 or min(size) <= 0:
            raise ValueError(f'--size needs one or two positive numbers, got {size}.')
        crop = np.broadcast_to(np.array(size), (2,))
    names = arrays.get(f'{part}_names')
    samples = KeypointSamples.from_arrays(
        numbers_of(arrays, f'{part}_keypoints', path) / crop,
        numbers_of(arrays, f'{part}_annotations', path) / crop,
        arrays.get(f'{part}_visible'),
        crop,
        names=None if names is None else tuple(map(str, names)),
    )
    untrained = arrays.get(f'{part}_untrained')
    if untrained is not None:
        untrained = numbers_of(arrays, f'{part}_untrained', path) / crop
        if len(untrained) != len(samples):
            raise ValueError(
                f'{part}_untrained has {len(untrained)} images, {part}_keypoints '
                f'{len(samples)}.'
            )
    return samples, untrained


def evaluate_file(args: argparse.Namespace) -> DiscoveryReport:
    """Evaluate the file that the command line names.

    Args:
        args: See :func:`parse_args`.

    Returns:
        The report.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If its contents or an option cannot be used.
    """
    protocol = get_protocol(args.protocol, args.variant, **parse_options(args.options))
    if args.annotations is not None:
        if args.size is not None:
            raise ValueError('--size is that of the images that --annotations names')
        arrays = read_npz(args.file, ('filename', 'points'))
        names, points = arrays['filename'], numbers_of(arrays, 'points', args.file)
        if points.ndim != 3 or points.shape[2] != 2 or len(names) != len(points):
            raise ValueError(
                f'{args.file}: points must have shape (images, K, 2) with one of '
                f'{len(names)} file names each, got {points.shape}'
            )
        found = dict(zip(map(str, names), points, strict=True))
        fit, score = (samples_of_predictions(found, f) for f in args.annotations)
        report = evaluate_discovery(
            protocol, fit, score, None, args.shots, args.num_draws, args.seed
        )
        path = str(args.annotations[1])
        category = landmark_category(read_coco(path), path)
        if category:
            report.point_names = tuple(landmark_names(category, path))
        return report
    arrays = read_npz(args.file)
    fit, fit_untrained = load_samples(args.file, arrays, 'fit', args.size)
    score, score_untrained = load_samples(args.file, arrays, 'score', args.size)
    untrained = None
    if fit_untrained is not None and score_untrained is not None:
        untrained = (fit_untrained, score_untrained)
    return evaluate_discovery(
        protocol, fit, score, untrained, args.shots, args.num_draws, args.seed
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    args = parse_args(arguments)
    report = evaluate_file(args)
    print(report.table())
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        content = dict(variant=args.variant, **report.to_dict())
        args.out.write_text(json.dumps(finite_or_none(content), indent=1))
        print(f'figures written to {args.out}')


if __name__ == '__main__':
    run_tool(main)
