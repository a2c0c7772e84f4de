# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure memory and time of a training step of part affinity networks.

A step is what the runner does with a batch: preprocessing, forward, the losses of all
stages, backward and the config's optimizer; pictures and targets are random. Each
config runs in a process of its own, so that peaks are clean. Prints a Markdown table;
on a shared machine look at its CPU seconds.

Examples::

    python tools/benchmarks/openpose_training_step.py
    python tools/benchmarks/openpose_training_step.py CONFIG --batch 4 --size 256
    python tools/benchmarks/openpose_training_step.py --device cuda
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from measure import build_quietly, gpu_peak_mib, machine, measure
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmpose.structures import PoseDataSample

from mmkp.engine.cli import run_tool
from mmkp.engine.config import load_config

FOLDER = Path(__file__).parents[2] / 'configs' / 'body_2d_keypoint' / 'openpose'
#: One of each network.
CONFIGS = (
    'coco/openpose_vgg19_coco-368x368.py',
    'coco_foot/openpose-body25_vgg19_coco-foot-368x368.py',
    'coco/openpose-lightweight-r1_mobilenetv1_coco-368x368.py',
    'coco/openpose-lightweight-r3_mobilenetv1_coco-368x368.py',
    'coco/openpose_mobilenet-thin-bn_coco-368x368.py',
)
BATCH = {'cpu': 2, 'cuda': 8}


class Step(NamedTuple):
    """What is known after a step: parameters, loss and peak of the GPU's memory."""

    num_parameters: int
    loss: float
    extra_gpu_mib: float


def random_batch(model: torch.nn.Module, batch: int, size: int) -> dict[str, list]:
    """Pictures and targets of the shapes that the dataloader gives.

    Args:
        model (nn.Module): with a part affinity head.
        batch (int): pictures B.
        size (int): width and height in pixels.

    Returns:
        dict: ``inputs``, uint8 (3, size, size), and ``data_samples``, B of each.
    """
    codec = model.head.decoder
    skeleton, cells = codec.skeleton, size // codec.stride
    generator = torch.Generator().manual_seed(0)
    data: dict[str, list] = dict(inputs=[], data_samples=[])
    for _ in range(batch):
        targets = PixelData()
        for name, weights, channels in (
            ('heatmaps', 'heatmap_weights', skeleton.num_keypoints + 1),
            ('part_affinity_fields', 'field_weights', 2 * skeleton.num_limbs),
        ):
            shape = (channels, cells, cells)
            targets.set_field(torch.rand(shape, generator=generator), name)
            targets.set_field(torch.ones(shape), weights)
        sample = PoseDataSample(metainfo=dict(img_shape=(size, size)))
        sample.gt_fields = targets
        image = torch.randint(256, (3, size, size), generator=generator)
        data['inputs'].append(image.to(torch.uint8))
        data['data_samples'].append(sample)
    return data


def prepare(config: str, batch: int, size: int, device: str) -> Callable[[], Step]:
    """Prepare training steps of one config.

    Args:
        config (str): path of the config.
        batch (int): pictures B.
        size (int): width and height in pixels.
        device (str): 'cpu' or 'cuda'.

    Returns:
        Callable: makes a step.
    """
    cfg = load_config(config)
    model = build_quietly(cfg.model)
    # Not init_weights, because costs are the same without pretrained weights.
    model.to(device).train()
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    data = random_batch(model, batch, size)
    num_parameters = sum(p.numel() for p in model.parameters())

    def train() -> float:
        losses = model.train_step(dict(data), optimizer)
        return losses['loss'].item()  # also waits for the GPU

    def step() -> Step:
        if device == 'cpu':
            return Step(num_parameters, train(), 0.0)
        return Step(num_parameters, *gpu_peak_mib(train))

    return step


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Memory and time of a training step of part affinity networks.'
    )
    parser.add_argument('configs', nargs='*', help='by default one of each network')
    parser.add_argument('--batch', type=int, help='pictures; 2 on the CPU, 8 on a GPU')
    parser.add_argument('--size', type=int, default=368, help='pixels')
    parser.add_argument('--device', default='cpu', choices=BATCH)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args(arguments)
    batch = args.batch or BATCH[args.device]
    configs = args.configs or [str(FOLDER / name) for name in CONFIGS]
    for config in configs:  # a mistake shall not wait for the costs of those before
        load_config(config)
    print(
        f'{machine(args.threads, args.device)}: batch {batch}, {args.size} x '
        f'{args.size} pixels, median of {args.repeats} steps\n\n'
        '| config | parameters, M | extra peak memory, MiB | step, s | CPU, s |\n'
        '|---|---:|---:|---:|---:|'
    )
    for config in configs:
        case = (config, batch, args.size, args.device)
        cost = measure(prepare, case, args.repeats, args.threads)
        found: Step = cost.result
        memory = found.extra_gpu_mib or cost.extra_mib
        print(
            f'| {Path(config).stem} | {found.num_parameters / 1e6:.2f} | {memory:.0f} '
            f'| {cost.wall_s:.2f} | {cost.cpu_s:.2f} |',
            flush=True,
        )


if __name__ == '__main__':
    run_tool(main)
