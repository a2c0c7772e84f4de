# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Score the mean training pose, put into every test box, by a config's own test.

What a figure of a top-down model means shows beside that of a control which never
looks at an image.

python tools/analysis_tools/mean_pose_baseline.py CONFIG [--out figures.json]
"""

import argparse
import json
from pathlib import Path

from mmkp.apis.mean_pose_baseline import evaluate_mean_pose
from mmkp.engine.cli import add_config_arguments, config_from_arguments, run_tool
from mmkp.ops.finite import finite_or_none


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Score the mean training pose')
    add_config_arguments(parser)
    parser.add_argument(
        '--train-samples',
        type=int,
        metavar='NUMBER',
        help='average over so many training samples, evenly spaced, not over all',
    )
    parser.add_argument('--out', type=Path, help='json file for the figures')
    return parser.parse_args()


def main() -> None:
    """Evaluate and print."""
    args = parse_args()
    figures = evaluate_mean_pose(config_from_arguments(args), args.train_samples)
    figures = {name: float(value) for name, value in figures.items()}
    for name, value in figures.items():
        print(f'{name}: {value:.4f}')
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(finite_or_none(figures), indent=1))
        print(f'figures written to {args.out}')


if __name__ == '__main__':
    run_tool(main)
