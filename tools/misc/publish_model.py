"""Make a checkpoint small and give it a name that tells its content.

python tools/misc/publish_model.py work_dirs/.../iter_2000.pth model.pth
writes model-<first 8 digits of its SHA-256>_<date>.pth with the weights and what is
needed to use them: optimiser, schedules, logs and random states are left out.
"""

import argparse

from mmkp.engine.cli import run_tool
from mmkp.engine.publish import PUBLISHED_KEYS, publish_checkpoint


def main() -> None:
    """Publish."""
    parser = argparse.ArgumentParser(description='Prepare a checkpoint to be published')
    parser.add_argument('in_file', help='checkpoint')
    parser.add_argument('out_file', help='name to begin the new file with')
    parser.add_argument(
        '--save-keys', nargs='+', default=list(PUBLISHED_KEYS), help='parts to keep'
    )
    args = parser.parse_args()
    print(publish_checkpoint(args.in_file, args.out_file, args.save_keys))


if __name__ == '__main__':
    run_tool(main)
