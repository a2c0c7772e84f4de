"""The verb ``export``: a model as files that other programs run."""

import argparse
from collections.abc import Sequence
from typing import Any

from mmkp.apis import load_model
from mmkp.apis.export import FORMATS, export
from mmkp.apis.shipped_models import is_run
from mmkp.cli.results import (
    add_formats_argument,
    add_result_arguments,
    print_result,
)

_USAGE = """%(prog)s RUN [options]
       %(prog)s CONFIG CHECKPOINT [options]"""


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=_USAGE,
        description='Write a model as ONNX, OpenVINO or torch file with the decoding '
        'inside, compare each file with PyTorch, and put a runner beside them',
        epilog='RUN is the folder of a run or of a training, or the name of a model '
        'that comes with mmkp; CONFIG and CHECKPOINT are files.',
    )
    parser.add_argument('words', nargs='+', metavar='RUN|CONFIG', help='see below')
    add_formats_argument(parser, FORMATS, 'onnx')
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument(
        '--half', action='store_true', help="the network's weights as float16"
    )
    precision.add_argument(
        '--int8', metavar='DATA', help='int8, calibrated on the pictures of DATA'
    )
    parser.add_argument(
        '--no-normalization',
        action='store_true',
        help='the graph takes normalized images instead of BGR pixels of 0 to 255',
    )
    parser.add_argument(
        '--no-flip-test',
        action='store_true',
        help='the graph does not look at mirrored images, whatever the config says',
    )
    parser.add_argument(
        '--data',
        metavar='SOURCE',
        help="pictures to compare on (default: the run's own, or drawn figures)",
    )
    parser.add_argument(
        '--web-runtime',
        metavar='FOLDER',
        help="dist folder of npm's onnxruntime-web, to copy beside the page that runs "
        'the export in a browser, so that it works offline',
    )
    add_result_arguments(parser)
    args = parser.parse_args(argv)
    number = 1 if is_run(args.words[0]) else 2
    if len(args.words) != number:
        parser.error(
            f"'{args.words[0]}' is {'a' if number == 1 else 'no'} run, so "
            f'{"nothing" if number == 1 else "a config and a checkpoint"} is expected '
            f'{"behind" if number == 1 else "before the options"}'
        )
    return args


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Export."""
    args = parse_args(argv, prog)
    model: Any = args.words[0]
    if len(args.words) == 2:
        model = load_model(args.words[0], args.words[1], 'cpu')
    made = export(
        model,
        args.formats,
        args.out,
        args.overwrite,
        half=args.half,
        int8=args.int8,
        normalized_inside=not args.no_normalization,
        flip_test=False if args.no_flip_test else None,
        data=args.data,
        web_runtime=args.web_runtime,
    )
    if not args.json:
        for difference in made.differences:
            print(difference)
    differences = [one.to_dict() for one in made.differences]
    print_result(args, made.path, files=made.description.files, differences=differences)
