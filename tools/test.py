"""Test a checkpoint: `python tools/test.py configs/....py checkpoint.pth`."""

from mmkp.cli.test import main
from mmkp.engine.cli import run_tool

if __name__ == '__main__':
    run_tool(main)
