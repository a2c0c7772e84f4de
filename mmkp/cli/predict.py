"""The verb ``predict``: keypoints of files, as pictures and files of other programs."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmkp.apis import load_model
from mmkp.apis.drawing import FIELD_STYLES, HEATMAP_STYLES
from mmkp.apis.picture_set import picture_folder
from mmkp.apis.predict import check_formats, load_run, write_predictions
from mmkp.apis.predict_into import PredictionInterruptedError
from mmkp.apis.predict_options import PRECISIONS, RUNTIMES, PredictOptions
from mmkp.apis.predictions import FORMAT_FILES, Predictions
from mmkp.apis.run_folders import new_folder
from mmkp.apis.shipped_models import is_run, open_run
from mmkp.cli.results import (
    add_formats_argument,
    add_result_arguments,
    print_result,
)
from mmkp.cli.shards import add_shard_arguments, merge_main, shard_main
from mmkp.datasets.object_detection import build_detector, is_detector_file
from mmkp.engine.cli import config_from_arguments
from mmkp.engine.option_values import OptionAction

# Options that have the same name as words of the command and as fields.
_SAME = (
    'frames', 'batch_size', 'resume', 'min_score', 'smooth', 'max_gap', 'fix_swaps',
    'tracks', 'runtime', 'precision', 'show_edges', 'show_heatmaps', 'show_fields',
)  # fmt: skip
_USAGE = """%(prog)s RUN SOURCE [SOURCE ...] [options] [KEY=VALUE ...]
       %(prog)s CONFIG CHECKPOINT SOURCE [SOURCE ...] [options] [KEY=VALUE ...]
       %(prog)s --merge OUT [-f FORMATS]"""
_SOURCE = (
    'RUN is the folder of a run, of a training or of an export, or the name of a model '
    'that comes with mmkp; CONFIG and CHECKPOINT are files. '
    "SOURCE is an image, a folder, a pattern ('photos/*.jpg'), a text file with a path "
    'a line, a film, or the index of a camera. KEY=VALUE overrides the config.'
)


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=_USAGE,
        description='Predict the keypoints of images, folders and films',
        epilog=_SOURCE,
    )
    parser.add_argument('words', nargs='+', metavar='RUN|CONFIG', help='see below')
    add_result_arguments(parser)
    _add_what(parser)
    _add_film(parser)
    _add_pictures(parser)
    add_shard_arguments(parser)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        metavar='KEY=VALUE',
        help='override settings of the config',
    )
    parser.add_argument(
        '--no-check',
        action='store_true',
        help='do not look for mistakes in the config: the way past a false alarm',
    )
    parser.add_argument('-b', '--batch-size', type=int, default=16)
    parser.add_argument(
        '-d', '--device', help='cpu, cuda:0, ...; a GPU where there is one'
    )
    _add_speed(parser)
    args = parser.parse_intermixed_args(argv)
    _tell_words_apart(parser, args)
    return args


def _add_what(parser: argparse.ArgumentParser) -> None:
    add_formats_argument(parser, FORMAT_FILES, 'json')
    parser.add_argument(
        '--boxes',
        help='json file of boxes (COCO style, or by image name: x, y, w, h), or the '
        "detector that finds them, an .onnx file of YOLOX's form",
    )
    parser.add_argument(
        '--classes',
        help='of the objects that the detector looks for, with commas between them',
    )
    parser.add_argument(
        '--frames', help='only these frames (or images): 0-100, or 0-100:5 for each 5th'
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on behind what an interrupted prediction has written into -o',
    )


def _add_speed(parser: argparse.ArgumentParser) -> None:
    speed = parser.add_argument_group('speed')
    speed.add_argument(
        '--runtime',
        choices=RUNTIMES,
        default='auto',
        help='torch; onnx or openvino, by an export that is made once inside the run; '
        'auto tries for two seconds what is the fastest for a long source (default)',
    )
    speed.add_argument(
        '--precision',
        choices=PRECISIONS,
        default='float32',
        help='bfloat16 is faster where the CPU has it, and moves keypoints a little',
    )


def _add_film(parser: argparse.ArgumentParser) -> None:
    films = parser.add_argument_group('films')
    films.add_argument(
        '--smooth',
        choices=['none', 'oneeuro', 'savgol', 'kalman'],
        default='none',
        help='kalman smooths best; oneeuro looks at no later frame',
    )
    films.add_argument(
        '--max-gap',
        type=float,
        default=0.2,
        metavar='SECONDS',
        help='with --smooth, fill gaps up to this length (default: 0.2)',
    )
    films.add_argument(
        '--fix-swaps',
        action='store_true',
        help='put left and right back where they are exchanged for some frames',
    )
    films.add_argument(
        '--tracks', action='store_true', help='follow several objects, and number them'
    )


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    pictures = parser.add_argument_group('pictures')
    pictures.add_argument(
        '--draw',
        choices=['all', 'none', 'sheet'],
        default='all',
        help='a picture of each image, none, or one of some images',
    )
    pictures.add_argument(
        '--no-pictures', action='store_true', help='the same as --draw none'
    )
    pictures.add_argument(
        '--show-edges', action='store_true', help='draw the learned edges too'
    )
    pictures.add_argument(
        '--show-heatmaps',
        nargs='?',
        choices=HEATMAP_STYLES,
        const=HEATMAP_STYLES[0],
        help='one picture of all heatmaps, or one for each keypoint',
    )
    pictures.add_argument(
        '--show-fields',
        nargs='?',
        choices=FIELD_STYLES,
        const=FIELD_STYLES[0],
        help='of a part affinity model: directions as colours or arrows, or each limb',
    )
    pictures.add_argument(
        '--show-stacks',
        action='store_true',
        help='of a top-down model with stacks: keypoints and heatmaps of each',
    )
    pictures.add_argument(
        '--show-numbers', action='store_true', help="write the keypoints' numbers"
    )
    pictures.add_argument(
        '--min-score',
        type=float,
        help='draw no keypoint below this score (default: 0.2; 0 of discovered ones)',
    )


def _tell_words_apart(parser: argparse.ArgumentParser, args: Any) -> None:
    """Set ``run``, or ``config`` and ``checkpoint``, and ``sources``."""
    words: list[str] = list(vars(args).pop('words'))
    settings: list[str] = []
    while len(words) > 1 and '=' in words[-1] and not Path(words[-1]).exists():
        settings.insert(0, words.pop())
    if settings:
        OptionAction([], 'cfg_options')(parser, args, settings, 'KEY=VALUE')
    args.run = words.pop(0) if is_run(words[0]) else None
    needed = ['source'] if args.run else ['config', 'checkpoint', 'source']
    if len(words) < len(needed):
        missing = ', '.join(needed[len(words) :])
        parser.error(
            f'the following arguments are required: {missing} (the first word is '
            f'{"" if args.run else "no "}folder of a run)'
        )
    args.config, args.checkpoint = (None, None) if args.run else (words[0], words[1])
    args.sources = words if args.run else words[2:]
    for word in args.sources[1:]:
        if not Path(word).exists():
            parser.error(f"unexpected argument '{word}': a setting is KEY=VALUE")


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Predict."""
    words = sys.argv[1:] if argv is None else argv
    if any(word.split('=')[0] == '--merge' for word in words):
        merge_main(words, prog)
        return
    args = parse_args(argv, prog)
    formats = args.formats
    check_formats(formats)
    options = _options(args)
    source = args.sources[0] if len(args.sources) == 1 else args.sources
    run = open_run(args.run) if args.run else None
    if run is not None:
        model = load_run(run, options, args.device, args.cfg_options)
    else:
        model = load_model(config_from_arguments(args), args.checkpoint, args.device)
    if args.shard:
        shard_main(args, model, source, options, formats, run)
        return
    if run is None or options.resume:
        folder = Path(args.out or 'results')
    else:
        folder = new_folder('predict', args.sources[0], args.out, args.overwrite)
    try:
        found = write_predictions(
            model, source, folder, options, formats, run, run is not None
        )
    except PredictionInterruptedError as error:
        words = [*(prog or 'mmkp predict').split(), *(argv or sys.argv[1:])]
        words += [] if args.out else ['-o', str(folder)]
        words += [] if args.resume else ['--resume']
        print(f'{error}\nto go on: {shlex.join(words)}', file=sys.stderr)
        raise
    _print(args, found, formats)


def _options(args: argparse.Namespace) -> PredictOptions:
    boxes = args.boxes
    if boxes and is_detector_file(boxes):
        boxes = build_detector(boxes, args.classes)
    elif args.classes:
        raise ValueError('--classes are those of a detector: --boxes DETECTOR.onnx')
    return PredictOptions(
        boxes=boxes,
        draw='none' if args.no_pictures else args.draw,
        numbers=args.show_numbers,
        show_stacks=args.show_stacks,
        **{name: getattr(args, name) for name in _SAME},
    )


def _print(
    args: argparse.Namespace, found: Predictions, formats: Sequence[str]
) -> None:
    folder = found.path
    if not args.json:
        print(f'keypoints: {folder / FORMAT_FILES["json"]}')
        for format in formats:
            if format != 'json':
                print(f'{format + ":":10} {folder / FORMAT_FILES[format]}')
        if args.draw == 'all' and not args.no_pictures:
            print(f'pictures:  {picture_folder(folder)}')
            for kind in ('heatmaps', 'fields', 'stacks'):
                if getattr(args, f'show_{kind}'):
                    print(f'{kind + ":":10} {folder / kind}')
    if args.run or args.json:
        print_result(args, folder, **found.figures)
