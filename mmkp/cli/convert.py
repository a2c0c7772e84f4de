"""The verb ``convert``: label files of one program as those of another."""

import argparse
from collections.abc import Sequence

from mmkp.apis.convert import convert
from mmkp.cli.results import add_json_argument, print_result
from mmkp.labels import FORMATS


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Convert labels or predictions to the file of another program',
        epilog='\n'.join(['formats:', *map(_line, FORMATS)]),
    )
    parser.add_argument('source', metavar='IN', help='file, folder or run to read')
    parser.add_argument('out', metavar='OUT', help='file or folder to write')
    parser.add_argument(
        '-f',
        '--format',
        choices=[name for name, known in FORMATS.items() if known.write],
        metavar='FORMAT',
        help='to write (default: that of the suffix of OUT)',
    )
    parser.add_argument(
        '--from',
        dest='source_format',
        choices=[name for name, known in FORMATS.items() if known.read],
        metavar='FORMAT',
        help='to read (default: what the content is)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace OUT if it is there'
    )
    add_json_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Convert."""
    args = parse_args(argv, prog)
    done = convert(
        args.source, args.out, args.format, args.source_format, args.overwrite
    )
    if not args.json:
        print('\n'.join(done.lines()))
    print_result(
        args,
        done.path,
        format=done.format,
        source_format=done.source_format,
        objects=done.num_objects,
        images=done.num_images,
        keypoints=done.num_keypoints,
        lost=done.lost,
    )


def _line(name: str) -> str:
    """A format, whether it is read and written, and what it is."""
    known = FORMATS[name]
    uses = f'{"in" if known.read else "":3}{"out" if known.write else "":4}'
    return f'  {name:14}{uses}{known.title}'
