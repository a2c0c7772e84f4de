# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure time and memory of a training step of Stacked Hourglass networks.

A step is forward, the mean squared error of each stack's heatmaps, summed, and
backward, without an optimizer; images and targets are random. The same network written
down plainly (plain_hourglass.py) has equal weights, so that losses must agree. MMPose's
HourglassNet with a CPMHead is measured as published and, with order 4 and one block at
each spot, at the same width or at the one with which multiply-adds or parameters come
nearest; that width counts for all levels and the stem.

Each network runs in processes of its own, in turns, so that a busy machine disturbs all
alike; look at CPU seconds, of which the least counts. Memory is that of the tensors, as
torch's allocator counts it, and beside it the growth of the process's resident memory.
Prints a Markdown table.

Examples::

    python tools/benchmarks/hourglass_training_step.py
    python tools/benchmarks/hourglass_training_step.py --stacks 1 --channels 64 \
        --input 128 --batch 16
    python tools/benchmarks/hourglass_training_step.py --stacks 8 --device cuda
"""

import argparse
import ctypes
import platform
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from measure import Cost, gpu_peak_mib, machine, measure, tensor_peak_mib
from mmcv.cnn import ConvModule
from mmengine.logging import MMLogger
from mmpose.registry import MODELS
from plain_hourglass import PlainHourglass
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mmkp  # noqa: F401  registers the models
from mmkp.engine.cli import run_tool

#: Arguments of StackedHourglass that make the ways to run the same network.
MMKP: dict[str, dict] = {
    'mmkp': {},
    'mmkp, channels first': dict(channels_last=False),
    'mmkp, checkpointed residuals': dict(checkpointing='residual'),
    'mmkp, checkpointed stacks': dict(checkpointing='stack'),
    'mmkp, compiled': {},
}
MMPOSE = (
    'mmpose, as published',
    'mmpose, equal width',
    'mmpose, equal multiply-adds',
    'mmpose, equal parameters',
)
NETWORKS = ('plain', *MMKP, *MMPOSE)
#: Levels below the first one, and heatmaps, of the networks that are compared.
ORDER, NUM_HEATMAPS = 4, 16


class Step(NamedTuple):
    """What is known after a step: loss, and memory of its tensors at their peak."""

    loss: float
    tensor_mib: float


class Size(NamedTuple):
    """Parameters, and multiply-adds of convolutions in a forward pass of an image."""

    parameters: int
    multiply_adds: int


class MMPoseHourglass(nn.Module):
    """MMPose's HourglassNet and CPMHead.

    Args:
        num_stacks (int): hourglasses N.
        width (int, optional): of all levels; as published (up to 512 channels, five
            halvings, two blocks at each spot) if None.
    """

    def __init__(self, num_stacks: int, width: int | None = None) -> None:
        super().__init__()
        backbone: dict = dict(type='HourglassNet', num_stacks=num_stacks)
        if width is not None:
            backbone.update(
                downsample_times=ORDER,
                stage_channels=(width,) * (ORDER + 1),
                stage_blocks=(1,) * (ORDER + 1),
                feat_channel=width,
            )
        self.backbone = MODELS.build(backbone)
        if width is not None:
            # Can be imported with MMCV's light build only after mmkp.
            from mmpose.models.backbones.resnet import BasicBlock, ResLayer

            # HourglassNet's own stem always has 256 channels.
            norm = dict(type='BN')
            self.backbone.stem = nn.Sequential(
                ConvModule(3, width // 2, 7, padding=3, stride=2, norm_cfg=norm),
                ResLayer(BasicBlock, 1, width // 2, width, stride=2, norm_cfg=norm),
            )
        self.head = MODELS.build(
            dict(
                type='CPMHead',
                in_channels=width or 256,
                out_channels=NUM_HEATMAPS,
                num_stages=num_stacks,
            )
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images (B, 3, H, W) to N of (B, 16, H / 4, W / 4)."""
        return self.head(self.backbone(images))


def count(build: Callable[[], nn.Module], side: int) -> Size:
    """Count a network's parameters and multiply-adds without running it.

    Args:
        build (Callable): makes the network.
        side (int): width and height of the image in pixels.

    Returns:
        Size: of the network.
    """
    with torch.device('meta'):
        network, image = build().eval(), torch.empty(1, 3, side, side)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    parameters = sum(p.numel() for p in network.parameters())
    return Size(parameters, counter.get_total_flops() // 2)


def equal_width(name: str, stacks: int, channels: int, side: int) -> int:
    """Width of MMPose's network with which it is as large as the others.

    Args:
        name (str): one of ``MMPOSE`` after the first.
        stacks (int): hourglasses N.
        channels (int): width of the other networks.
        side (int): width and height of images in pixels.

    Returns:
        int: a multiple of 4.
    """
    if name == 'mmpose, equal width':
        return channels
    attribute = name.split()[-1].replace('-', '_')
    wanted = count(lambda: PlainHourglass(stacks, channels=channels), side)

    def excess(width: int) -> float:
        found = count(lambda: MMPoseHourglass(stacks, width), side)
        return getattr(found, attribute) / getattr(wanted, attribute) - 1

    low, high = 1, channels + 32  # in steps of 4
    while low < high:  # the first width that is not smaller
        middle = (low + high) // 2
        low, high = (low, middle) if excess(4 * middle) >= 0 else (middle + 1, high)
    candidates = (4 * max(low - 1, 1), 4 * low)
    return min(candidates, key=lambda width: abs(excess(width)))


def build(name: str, stacks: int, channels: int, side: int) -> nn.Module:
    """Build one of ``NETWORKS``; those of plain and mmkp have equal weights."""
    torch.manual_seed(0)
    if name in MMPOSE:
        if name == MMPOSE[0]:
            return MMPoseHourglass(stacks)
        width = equal_width(name, stacks, channels, side)
        return MMPoseHourglass(stacks, width)
    plain = PlainHourglass(stacks, NUM_HEATMAPS, ORDER, channels)
    if name == 'plain':
        return plain
    sizes: dict = dict(num_stacks=stacks, num_keypoints=NUM_HEATMAPS, order=ORDER)
    network = MODELS.build(
        dict(type='StackedHourglass', channels=channels, **sizes, **MMKP[name])
    )
    network.load_state_dict(plain.state_dict())
    return network


def prepare(
    name: str, stacks: int, channels: int, side: int, batch: int, device: str
) -> Callable[[], Step]:
    """Prepare training steps of one network.

    Args:
        name (str): one of ``NETWORKS``.
        stacks (int): hourglasses N.
        channels (int): width of the hourglasses.
        side (int): width and height of images in pixels.
        batch (int): images B.
        device (str): 'cpu' or 'cuda'.

    Returns:
        Callable: makes a step.
    """
    MMLogger.get_instance('benchmark', log_level='ERROR')
    warnings.simplefilter('ignore')
    network: Any = build(name, stacks, channels, side).to(device).train()
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(batch, 3, side, side, generator=generator).to(device)
    shape = batch, NUM_HEATMAPS, -(-side // 4), -(-side // 4)
    targets = torch.rand(shape, generator=generator).to(device)
    run = torch.compile(network) if name == 'mmkp, compiled' else network

    def train() -> float:
        network.zero_grad()
        heatmaps = run(images)[:stacks]
        loss = sum(F.mse_loss(found, targets) for found in heatmaps)
        loss.backward()
        return loss.item()  # also waits for the GPU

    peak = 0.0 if device == 'cuda' else tensor_peak_mib(train)

    def step() -> Step:
        if device != 'cuda':
            return Step(train(), peak)
        return Step(*gpu_peak_mib(train))

    if device != 'cuda' and platform.libc_ver()[0] == 'glibc':
        # What that step and the compiler have left must not hide what a step needs.
        ctypes.CDLL('libc.so.6').malloc_trim(0)
    return step


def measure_all(case: tuple, args: argparse.Namespace) -> dict[str, Cost | str]:
    """Measure the networks in turns.

    Args:
        case (tuple): what :func:`prepare` takes after the name.
        args (argparse.Namespace): the command line.

    Returns:
        dict[str, Cost | str]: by name, the costs of the round with the least CPU time
        (on a GPU: the least wall time), or why there are none.
    """
    found: dict[str, Cost | str] = {}
    for _ in range(args.rounds):
        for name in args.networks:
            best = found.get(name)
            if isinstance(best, str):
                continue
            try:
                cost = measure(prepare, (name, *case), args.repeats, args.threads)
            except Exception as error:  # noqa: BLE001  of any library
                found[name] = f'{type(error).__name__}: {error}'.split('\n')[0][:80]
                continue
            if best is None or seconds(cost, args.device) < seconds(best, args.device):
                found[name] = cost
    return found


def seconds(cost: Cost, device: str) -> float:
    """Seconds by which networks are compared."""
    return cost.wall_s if device == 'cuda' else cost.cpu_s


def row(name: str, size: Size, cost: Cost, plain: Cost | None, device: str) -> str:
    """Write a line of the table."""
    step: Step = cost.result
    ratio = memory_ratio = ''
    if plain is not None:
        ratio = f'{seconds(cost, device) / seconds(plain, device):.2f}'
        memory_ratio = f'{step.tensor_mib / plain.result.tensor_mib:.2f}'
    return (
        f'| {name} | {size.parameters / 1e6:.2f} | {size.multiply_adds / 1e9:.2f} '
        f'| {cost.cpu_s:.3f} | {cost.wall_s:.3f} | {ratio} '
        f'| {step.tensor_mib:.0f} | {memory_ratio} | {cost.extra_mib:.0f} '
        f'| {step.loss:.6f} |'
    )


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Time and memory of a training step of Stacked Hourglass networks.'
    )
    parser.add_argument('--stacks', type=int, default=2)
    parser.add_argument('--channels', type=int, default=256)
    parser.add_argument('--input', type=int, default=256, help='pixels')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--repeats', type=int, default=2, help='steps of a process')
    parser.add_argument('--rounds', type=int, default=3, help='processes of a network')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--networks', nargs='+', default=NETWORKS, choices=NETWORKS)
    args = parser.parse_args(arguments)
    print(
        f'{machine(args.threads, args.device)}: {args.stacks} stacks, {args.channels} '
        f'channels, batch {args.batch}, {args.input} x {args.input} pixels; median of '
        f'{args.repeats} steps, the least of {args.rounds} processes in turns\n'
    )
    sizes = args.stacks, args.channels, args.input
    costs = measure_all((*sizes, args.batch, args.device), args)
    print(
        '| network | parameters, M | GMAC | CPU, s | wall, s | ratio '
        '| tensors at peak, MiB | ratio | resident, MiB | loss |\n'
        '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
    )
    plain = costs.get('plain')
    for name, cost in costs.items():
        if isinstance(cost, str):
            print(f'| {name} | not available: {cost} |')
            continue
        size = count(lambda name=name: build(name, *sizes), args.input)
        print(row(name, size, cost, plain, args.device))


if __name__ == '__main__':
    run_tool(main)
