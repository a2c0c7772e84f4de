# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Find the boxes of objects in a folder of images, and write them as a box file.

    python tools/misc/detect_boxes.py FOLDER --detector yolox_nano.onnx --classes dog

``UnlabeledImageDataset(bbox_file=...)`` and ``mmkp predict --boxes`` read it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from mmkp.apis.progress import Progress
from mmkp.datasets.coco_writer import write_atomically
from mmkp.datasets.image_files import find_images
from mmkp.datasets.object_detection import build_detector, find_boxes
from mmkp.engine.cli import run_tool


def main(arguments: list[str] | None = None) -> None:
    """Find boxes.

    Args:
        arguments: Command line; ``None`` takes that of the process.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument(
        '--detector',
        required=True,
        help="an .onnx file of YOLOX's form, or a config or model of MMDetection",
    )
    parser.add_argument('--weights', help='checkpoint of a config of MMDetection')
    parser.add_argument('--classes', help='names with commas between them; all without')
    parser.add_argument('--score', type=float, default=0.3, help='least score of a box')
    parser.add_argument(
        '--min-size', type=float, default=32, help='least longer side in pixels'
    )
    parser.add_argument(
        '--side', type=int, help="of the ONNX network's input in pixels, 416 by default"
    )
    parser.add_argument('--pattern', help='glob pattern below the folder')
    parser.add_argument('--out', type=Path, default=Path('boxes.json'))
    args = parser.parse_args(arguments)
    names = find_images(str(args.folder), pattern=args.pattern)
    options: dict[str, Any] = {} if args.side is None else dict(side=args.side)
    detector = build_detector(
        args.detector,
        args.classes,
        args.weights,
        score=args.score,
        min_size=args.min_size,
        **options,
    )
    progress = Progress(len(names))
    found = find_boxes(detector, args.folder, names, progress.add)
    progress.finish()
    write_atomically(args.out, json.dumps(found).encode())
    number = sum(map(len, found.values()))
    print(f'{number} boxes in {len(found)} of {len(names)} images: {args.out}')


if __name__ == '__main__':
    run_tool(main)
