"""The verb ``view``: a page to look at a run, name its keypoints and correct them."""

import argparse
from collections.abc import Sequence

from mmkp.cli.results import add_json_argument, print_result
from mmkp.engine.cli import whole_number


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Write a page, one file that works offline, on which one looks at '
        'a run, names its keypoints, corrects them, and saves corrections.json',
    )
    parser.add_argument('run', help='folder of a run, with keypoints.json')
    parser.add_argument(
        '-o', '--out', help='the file to write (default: report.html of the run)'
    )
    parser.add_argument('--open', action='store_true', help='show it in the browser')
    parser.add_argument(
        '--max-images',
        type=whole_number(1),
        default=200,
        metavar='N',
        help='the most that it holds, evenly spaced (default: 200)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what -o names'
    )
    add_json_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Write the page."""
    args = parse_args(argv, prog)
    from mmkp.apis.view import view

    page = view(args.run, args.out, args.max_images, args.overwrite, args.open)
    print_result(
        args,
        page.path,
        images=page.num_images,
        missing=page.missing,
        bytes=page.num_bytes,
    )
