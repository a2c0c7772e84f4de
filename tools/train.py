"""Train a model from a config: `python tools/train.py configs/....py`."""

from mmkp.cli.train import main
from mmkp.engine.cli import run_tool

if __name__ == '__main__':
    run_tool(main)
