"""The verb ``discover``: keypoints of images or a film that nobody has labeled."""

import argparse
from collections.abc import Sequence

from mmkp.apis.discover import discover
from mmkp.apis.discovery_config import METHODS
from mmkp.cli.overrides import parse_with_overrides
from mmkp.cli.results import add_result_arguments, print_result


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog, description='Find keypoints in images that nobody has labeled'
    )
    parser.add_argument('source', help='folder of images, or film')
    parser.add_argument(
        '-k', '--keypoints', type=int, default=10, help='how many (default: 10)'
    )
    parser.add_argument(
        '--minutes', type=float, default=10.0, help='of training (default: 10)'
    )
    parser.add_argument(
        '--method',
        choices=METHODS,
        default='recommended',
        help='(default: %(default)s)',
    )
    parser.add_argument(
        '--boxes',
        help='look only at what is in them: a json file (COCO style, or by image name: '
        "x, y, w, h), the detector that finds them (.onnx of YOLOX's form), auto "
        '(boxes.json of the folder, if there), or none (default)',
    )
    parser.add_argument('--seed', type=int, default=0, help='(default: 0)')
    add_result_arguments(parser)
    parser.set_defaults(cfg_options=None)
    return parse_with_overrides(parser, argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Discover."""
    args = parse_args(argv, prog)
    run = discover(
        args.source,
        args.keypoints,
        args.minutes,
        args.method,
        None if args.boxes == 'none' else args.boxes,
        args.out,
        args.overwrite,
        args.seed,
        args.cfg_options,
    )
    score = run.score or {}
    if not args.json:
        print(score.get('sentence', ''))
        for line in score.get('advice', ()):
            print(f'  to try: {line}')
        print(f'contact sheet: {run.path / "sheet.jpg"}')
    print_result(args, run.path, **run.info)
