"""Keypoints of an image, a folder or a video: pictures and a json file.

python tools/infer.py CONFIG CHECKPOINT INPUT --out results --show-edges
python tools/infer.py BOTTOM_UP_CONFIG CHECKPOINT INPUT --show-heatmaps --show-fields
python tools/infer.py HOURGLASS_CONFIG CHECKPOINT INPUT --boxes boxes.json --show-stacks
"""

from mmkp.cli.predict import main
from mmkp.engine.cli import run_tool

if __name__ == '__main__':
    run_tool(main)
