"""Look at a config's data: a contact sheet of samples, before or after the pipeline.

python tools/misc/browse_dataset.py CONFIG --phase train --out samples.png
"""

import argparse

from mmkp.apis.browse import PHASES, browse
from mmkp.engine.cli import (
    add_config_arguments,
    config_from_arguments,
    run_tool,
    whole_number,
)
from mmkp.visualization.dataset_pictures import MODES


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Draw samples of a data set')
    add_config_arguments(parser)
    parser.add_argument('--out', default='samples.png', help='picture to write')
    parser.add_argument('--phase', choices=PHASES, default='train')
    parser.add_argument('--mode', choices=MODES, default='transformed')
    parser.add_argument('--number', type=whole_number(1), default=24, help='of samples')
    return parser.parse_args()


def main() -> None:
    """Draw."""
    args = parse_args()
    cfg = config_from_arguments(args)
    browse(cfg, args.out, args.number, args.phase, args.mode, overwrite=True)
    print(f'samples: {args.out}')


if __name__ == '__main__':
    run_tool(main)
