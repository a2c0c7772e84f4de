# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Draw the README's moving picture: keypoints that were found without labels.

    python tools/misc/moving_picture.py docs/moving.webp

Figures of a seed that no training has seen move, beside them the keypoints of the model
`puppets-lmdis`, which comes with the package and has never seen a label.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmkp.apis import draw_predictions, load_model, predict_topdown
from mmkp.apis.shipped_models import find_shipped
from mmkp.datasets import PuppetDataset
from mmkp.engine.cli import run_tool, whole_number

SIZE, WIDTH = 200, 960


def draw_frames(number: int, num_figures: int, seed: int = 4711) -> list[np.ndarray]:
    """Films side by side, each frame with the keypoints found in it.

    Args:
        number: of frames.
        num_figures: side by side.
        seed: of the figures.

    Returns:
        Frames (H, W, 3), uint8, RGB.
    """
    shipped = find_shipped('puppets-lmdis')
    model = load_model(shipped.config, shipped.weights, 'cpu')
    puppets = PuppetDataset(
        num_images=number * num_figures,
        image_size=SIZE,
        seed=seed,
        frames_per_clip=number,
        box='image',
    )
    images = [puppets.get_data_info(index)['img'] for index in range(len(puppets))]
    found = predict_topdown(model, images)
    drawn = [
        draw_predictions(image, instances)
        for image, instances in zip(images, found, strict=True)
    ]
    frames = [np.hstack(drawn[index::number]) for index in range(number)]
    height = round(WIDTH * frames[0].shape[0] / frames[0].shape[1])
    reduced = (
        cv2.resize(f, (WIDTH, height), interpolation=cv2.INTER_AREA) for f in frames
    )
    return [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in reduced]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('out', type=Path, help='.webp or .gif')
    parser.add_argument('--frames', type=whole_number(2), default=24)
    parser.add_argument('--figures', type=whole_number(1), default=4)
    args = parser.parse_args(arguments)
    frames = draw_frames(args.frames, args.figures)
    # There and back, so that it goes round.
    pictures = [Image.fromarray(frame) for frame in (*frames, *frames[-2:0:-1])]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    film = dict(save_all=True, append_images=pictures[1:], duration=80, loop=0)
    pictures[0].save(args.out, quality=60, method=6, **film)
    print(args.out)


if __name__ == '__main__':
    run_tool(main)
