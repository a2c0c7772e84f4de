# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure how fast people become heatmaps and part affinity fields.

The straightforward form computes every cell of every keypoint and limb of every person
over the whole map, as the formulas are written; another one loops over cells, as the
first ports of OpenPose did, and draws heatmaps only. Neither makes weights, the
vectorised form does. All run in fresh processes right after each other; use CPU seconds
and ratios on a shared machine.

Examples::

    python tools/benchmarks/part_affinity_encoding.py
    python tools/benchmarks/part_affinity_encoding.py --people 1 5 20 --skeleton body25
"""

import argparse
import platform
from collections.abc import Callable

import numpy as np
from measure import Cost, measure

from mmkp.codecs import PartAffinityField
from mmkp.engine.cli import run_tool
from mmkp.ops.part_affinity.formula import confidence_map, part_affinity_field
from mmkp.ops.part_affinity.targets import MAX_EXPONENT

# A standing person: shares of the stature from the left and from the top, in the order
# of COCO's keypoints and the feet.
_FIGURE = (
    (50, 8), (52, 6), (48, 6), (54, 8), (46, 8), (60, 20), (40, 20), (65, 35), (35, 35),
    (66, 49), (34, 49), (57, 52), (43, 52), (58, 74), (42, 74), (58, 95), (42, 95),
    (61, 99), (63, 98), (57, 98), (39, 99), (37, 98), (43, 98),
)  # fmt: skip

FORMS = ('vectorised', 'whole maps', 'cell by cell')
Targets = tuple[np.ndarray, ...]


def draw_people(number: int, num_keypoints: int, side: int, seed: int) -> np.ndarray:
    """Place figures of 0.3 to 0.7 of the image's height at random, limbs moved a bit.

    Args:
        number (int): people N.
        num_keypoints (int): keypoints S, 17 or 23.
        side (int): width and height of the image in pixels.
        seed (int): of the random generator.

    Returns:
        np.ndarray: (N, S, 2) float32, (x, y) in pixels.
    """
    random = np.random.default_rng(seed)
    figure = np.array(_FIGURE[:num_keypoints]) / 100 - [0.5, 0.5]
    stature = random.uniform(0.3, 0.7, (number, 1, 1)) * side
    middle = random.uniform(0.2, 0.8, (number, 1, 2)) * side
    jitter = random.normal(0, 0.02, (number, num_keypoints, 2))
    return (middle + (figure + jitter) * stature).astype(np.float32)


def whole_maps(codec: PartAffinityField, points: np.ndarray) -> Targets:
    """Compute every cell of every keypoint and limb.

    Args:
        codec (PartAffinityField): skeleton and sizes.
        points (np.ndarray): (N, K, 2) keypoints of the maps, all visible.

    Returns:
        tuple: heatmaps (K + 1, h, w) and fields (2L, h, w), float32.
    """
    points, size, stride = points.astype(np.float64), codec.map_size, codec.stride
    keypoints = [
        confidence_map(points[:, k], size, stride, codec.sigma)
        for k in range(points.shape[1])
    ]
    background = np.maximum(1 - np.max(keypoints, 0), 0)
    fields = [
        part_affinity_field(
            points[:, a], points[:, b], size, stride, codec.limb_half_width
        )
        for a, b in codec.skeleton.limbs
    ]
    return np.array([*keypoints, background], np.float32), np.concatenate(fields)


def cell_by_cell(codec: PartAffinityField, points: np.ndarray) -> Targets:
    """Compute heatmaps with a loop over cells (arguments as above); no fields."""
    width, height = codec.map_size
    heatmaps = np.zeros((points.shape[1] + 1, height, width), np.float32)
    middle, scale = (codec.stride - 1) / 2, 2 * codec.sigma**2
    for person in points.tolist():
        for k, (x, y) in enumerate(person):
            for row in range(height):
                for column in range(width):
                    dx = column * codec.stride + middle - x
                    dy = row * codec.stride + middle - y
                    exponent = (dx * dx + dy * dy) / scale
                    if exponent <= MAX_EXPONENT:
                        value = np.exp(-exponent)
                        heatmaps[k, row, column] = max(heatmaps[k, row, column], value)
    heatmaps[-1] = np.maximum(1 - heatmaps[:-1].max(0), 0)
    return (heatmaps,)


def prepare(
    form: str, skeleton: str, people: int, side: int, stride: int, images: int
) -> Callable[[], Targets]:
    """Prepare to encode seeded random people.

    Args:
        form (str): one of ``FORMS``.
        skeleton (str): 'coco18', 'body25_body' or 'body25'.
        people (int): people in an image.
        side (int): width and height of the image in pixels.
        stride (int): pixels a cell.
        images (int): images a call.

    Returns:
        Callable: returns the maps of the last image.
    """
    codec = PartAffinityField(skeleton, (side, side), stride)
    count = codec.skeleton.num_source_keypoints
    # Every form ends with the same scene, so that results can be compared.
    seeds = reversed(range(images))
    scenes = [draw_people(people, count, side, seed) for seed in seeds]
    visible = np.ones((people, count), np.float32)
    mask = np.ones(codec.map_size[::-1], np.float32)

    def call() -> Targets:
        for scene in scenes:
            if form == 'vectorised':
                encoded = codec.encode(scene, visible, labeled_mask=mask)
                maps = encoded['heatmaps'], encoded['part_affinity_fields']
            else:
                points, _, _ = codec.skeleton.from_source(scene, visible)
                plain = whole_maps if form == 'whole maps' else cell_by_cell
                maps = plain(codec, points)
        return maps

    return call


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--people', nargs='+', type=int, default=[1, 5, 20])
    parser.add_argument('--skeleton', default='coco18')
    parser.add_argument('--side', type=int, default=368, help='of the input, pixels')
    parser.add_argument('--stride', type=int, default=8)
    parser.add_argument('--images', type=int, default=100, help='images a timed call')
    parser.add_argument('--repeats', type=int, default=5)
    return parser.parse_args()


def difference(ours: Cost, reference: Cost) -> float:
    """Largest deviation of any cell of the maps that both have."""
    pairs = zip(ours.result, reference.result, strict=False)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def main() -> None:
    """Measure the cases and print a table."""
    args = parse_args()
    print(
        f'{platform.machine()}, numpy {np.__version__}, 1 thread, {args.skeleton}, '
        f'{args.side}x{args.side}, stride {args.stride}; medians'
    )
    titles = 'images/s CPU', 'CPU ms/image', 'wall ms/image', 'ratio', 'difference'
    print(f'{"people":<8}{"form":<14}' + ''.join(f'{t:>15}' for t in titles))
    for people in args.people:
        costs: dict[str, Cost] = {}
        for form in FORMS:
            images = args.images if form == 'vectorised' else 2
            settings = (form, args.skeleton, people, args.side, args.stride, images)
            repeats = args.repeats if form != 'cell by cell' else 1
            cost = costs[form] = measure(prepare, settings, repeats, threads=1)
            cpu, wall = cost.cpu_s / images, cost.wall_s / images
            row = f'{1 / cpu:15.0f}{cpu * 1e3:15.3f}{wall * 1e3:15.3f}'
            if form != 'vectorised':
                ours = costs['vectorised']
                row += f'{cpu / (ours.cpu_s / args.images):14.1f}x'
                row += f'{difference(ours, cost):15.1e}'
            print(f'{people:<8}{form:<14}{row}', flush=True)


if __name__ == '__main__':
    run_tool(main)
