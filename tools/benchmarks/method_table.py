# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Train each method on each data set for equal CPU minutes; errors and scores.

    OMP_NUM_THREADS=1 python tools/benchmarks/method_table.py runs.jsonl \
        --data puppets celeba --minutes 2
    python tools/benchmarks/method_table.py runs.jsonl --summary

A run is a line of json; those that the file has already are skipped. A method is any
config for a folder of images, by name or path, so that one of your own can be added:
`--methods my_folder_config.py`; `recipe` is what `mmkp discover` chooses. Weights of
VGG16 and of EfficientNet-lite0: see docs/data.md.
"""

import argparse
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from method_runs import DATA, RECIPE, Run, train_and_score
from method_summary import ERRORS, summary

from mmkp.apis.discovery_config import CLUSTER_WEIGHTS
from mmkp.engine.cli import run_tool, whole_number
from mmkp.engine.option_values import OptionAction
from mmkp.models.frozen_features import vgg16_features

LITE0 = 'feature-clusters_efficientnet-lite0_folder-128x128'
METHODS = (
    RECIPE,
    'lmdis-light_folder-64x64',
    'autolink-equivariance_folder-64x64',
    'fse-light_folder-64x64',
    'imm-equivariance_folder-64x64',
    'feature-attention_vgg16_folder-128x128',
    LITE0,
)
VGG = 'data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', type=Path, help='a line of json a run, appended to')
    parser.add_argument('--methods', nargs='+', default=METHODS, metavar='CONFIG')
    parser.add_argument(
        '--data',
        nargs='+',
        default=tuple(DATA),
        help=f'some of {", ".join(DATA)}, or files like those they stand for',
    )
    parser.add_argument('--minutes', type=float, default=2.0, help='of CPU, a run')
    parser.add_argument('--seeds', type=whole_number(0), nargs='+', default=[0])
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionAction, default={}, metavar='K=V'
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/methods'))
    parser.add_argument('--vgg', default=VGG, help="VGG16 for the score, '' for none")
    parser.add_argument('--lite0', help='weights of EfficientNet-lite0')
    parser.add_argument('--summary', action='store_true', help='print tables only')
    parser.add_argument('--error', choices=ERRORS, default=ERRORS[0])
    return parser.parse_args(argv)


def planned(args: argparse.Namespace) -> Iterator[Run]:
    """All methods of a data set before the next one."""
    for seed in args.seeds:
        for data in args.data:
            for method in args.methods:
                options = dict(args.cfg_options)
                if Path(method).stem in (LITE0, RECIPE) and args.lite0:
                    options[CLUSTER_WEIGHTS] = args.lite0
                yield Run(method, data, args.minutes, seed, options)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Runs of a file; the last line may be cut off."""
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            warnings.warn(f'{path}: a line is no json and left out', stacklevel=2)
    return lines


def key_of(line: dict[str, Any]) -> str:
    """Of a run's line, that of its :class:`Run`."""
    return Run(**{name: line[name] for name in Run.__dataclass_fields__}).key


def measure(run: Run, args: argparse.Namespace, features: Any) -> dict[str, Any]:
    """A run's line; of one that cannot be trained, why."""
    try:
        return train_and_score(run, args.work_dir / run.stem, features)
    except (ArithmeticError, RuntimeError, ValueError) as error:
        return dict(json.loads(run.key), error=f'{type(error).__name__}: {error}')


def main(argv: list[str] | None = None) -> None:
    """Run what the file lacks, or print its tables."""
    torch.set_num_threads(1)
    args = parse_args(argv)
    if args.summary:
        print(summary(read_lines(args.file), args.error))
        return
    features = vgg16_features(args.vgg) if args.vgg else None
    done = {key_of(line) for line in read_lines(args.file)}
    for run in planned(args):
        if run.key in done:
            continue
        line = measure(run, args, features)
        args.file.parent.mkdir(parents=True, exist_ok=True)
        with args.file.open('a') as file:
            file.write(json.dumps(line) + '\n')
        found = line.get('figures', {}).get('forward', line.get('error', ''))
        print(f'{run.stem}: {found}', flush=True)


if __name__ == '__main__':
    run_tool(main)
