"""The verb ``compare``: runs under one protocol, as a table and a page."""

import argparse
from collections.abc import Sequence

from mmkp.apis.compare import SHOTS, compare, write_comparison
from mmkp.cli.results import add_result_arguments, print_result
from mmkp.engine.cli import whole_number


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Compare runs: errors with their controls, few-shot curves, costs',
    )
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='RUN',
        help='folder of a run, work directory, or name of a model that comes with mmkp',
    )
    parser.add_argument(
        '--data',
        help='data set of configs/_base_/datasets, by name, or COCO file, which is '
        "parted in halves (default: each run's own evaluation)",
    )
    parser.add_argument('--images', help='folder of the images of a COCO file')
    parser.add_argument(
        '--labels',
        type=whole_number(3),
        nargs='+',
        default=list(SHOTS),
        metavar='N',
        help='numbers of labeled images of the few-shot curve',
    )
    parser.add_argument(
        '--normalizer',
        nargs=2,
        metavar='POINT',
        help='two points of the data by whose distance errors are divided',
    )
    parser.add_argument('--seed', type=whole_number(0), default=0)
    parser.add_argument('-d', '--device', help='such as cpu or cuda:0')
    add_result_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Compare; 1 where no run could be measured."""
    args = parse_args(argv, prog)
    comparison = compare(
        args.runs,
        args.data,
        args.images,
        args.labels,
        args.normalizer,
        args.seed,
        args.device,
    )
    path = write_comparison(comparison, args.out, args.overwrite)
    if not args.json:
        print(comparison.to_markdown(), end='\n\n')
    print_result(args, path, **comparison.to_dict())
    return int(len(comparison.failed) == len(comparison.rows))
