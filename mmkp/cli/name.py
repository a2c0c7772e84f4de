"""The verb ``name``: from discovered keypoints to named ones, by a few labels."""

import argparse
from collections.abc import Sequence

from mmkp.apis.name import name
from mmkp.cli.results import add_result_arguments, comma_words, print_result


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Turn discovered keypoints into named ones by a few labels',
    )
    parser.add_argument('run', metavar='RUN', help='folder of a run')
    parser.add_argument(
        'labels',
        metavar='LABELS',
        help="file of labels, or corrections.json of the run's page",
    )
    parser.add_argument(
        '--names',
        type=comma_words,
        help='which keypoints of the labels to take, as in nose,left_ear,right_ear; of '
        'corrections, the names of all that are kept',
    )
    parser.add_argument(
        '--pairs',
        type=_pairs,
        help='left and right, where names do not tell, as in ear_a:ear_b,eye_a:eye_b',
    )
    parser.add_argument(
        '--finetune',
        type=float,
        default=0.0,
        metavar='MINUTES',
        help='then train the detector itself on the labels for so many minutes',
    )
    parser.add_argument('-d', '--device', help='such as cpu or cuda:0')
    add_result_arguments(parser)
    return parser.parse_args(argv)


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = [
        tuple(word.strip() for word in pair.split(':')) for pair in comma_words(text)
    ]
    if any(len(pair) != 2 for pair in pairs):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form a:b,c:d')
    return pairs  # type: ignore[return-value]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Name the keypoints of a run."""
    args = parse_args(argv, prog)
    run = name(
        args.run,
        args.labels,
        args.names,
        args.pairs,
        args.finetune,
        args.out,
        args.overwrite,
        args.device,
    )
    print_result(args, run.path, **run.info['figures'])
