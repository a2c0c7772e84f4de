"""Runs converters of data sets in this process, and reads what they wrote."""

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np

CONVERTERS = Path(__file__).parents[1] / 'tools' / 'dataset_converters'


def run(name, *arguments):
    spec = importlib.util.spec_from_file_location(name, CONVERTERS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if arguments:
        module.convert(module.parse_args([str(word) for word in arguments]))
    return module


def read(path):
    content = json.loads(path.read_text())
    points = [np.reshape(a['keypoints'], (-1, 3)) for a in content['annotations']]
    return content, np.array(points)


def paint(path, size=(40, 30), value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), value, np.uint8))
