"""The ``mmkp`` command: its first word, a verb, chooses the file that does the rest."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from mmkp.engine.cli import run_tool
from mmkp.version import __version__

VERBS = {
    'discover': 'find keypoints in images or a film that nobody has labeled',
    'view': 'write a page to look at a run, name its keypoints and correct them',
    'name': 'turn discovered keypoints into named ones by a few labels',
    'suggest': 'say which images to label next, and why',
    'predict': 'predict the keypoints of images, folders and films',
    'export': 'write a model as ONNX, OpenVINO or torch file, with a runner',
    'compare': 'compare runs under one protocol',
    'convert': 'convert label files of other programs, and weights',
    'info': 'say what a run, a file of labels or a checkpoint holds',
    'train': 'train a model from a config',
    'test': 'test a checkpoint',
    'browse': 'draw the images of a config with their targets',
    'demo': 'train two small models on drawn figures and show what they find',
    'doctor': 'say what is installed here, and what is missing; test it',
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one verb.

    Args:
        argv: words of the command line, None for those of the program.
    """
    parser = argparse.ArgumentParser(
        prog='mmkp',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Keypoints for people without labels, and for who knows MMPose.',
        epilog='\n'.join(
            [
                'verbs:',
                *(f'  {verb:9}{what}' for verb, what in VERBS.items()),
                '\n`mmkp VERB --help` lists the arguments of one.',
            ]
        ),
    )
    parser.add_argument('--version', action='version', version=f'mmkp {__version__}')
    parser.add_argument('verb', metavar='VERB', choices=VERBS)
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help='see VERB --help')
    words = sys.argv[1:] if argv is None else argv
    if not words:
        parser.error('the following arguments are required: VERB, see mmkp --help')
    args = parser.parse_args(words)
    verb = importlib.import_module(f'mmkp.cli.{args.verb}')
    run_tool(lambda: verb.main(args.arguments, prog=f'mmkp {args.verb}'))
