# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare training steps of FactorizedSpatialEmbedding and LMDIS with plain ones.

A step is the views, forward, all losses and backward, without an optimizer, of the
models of the configs, published and light, on random pictures. The plain formulation
(plain_unsupervised.py) has loops over keypoints, pairs, descriptors and widths of
Gaussians, splines whose kernel is computed for each image, torch's own layers and NCHW
memory; "channels last" changes the memory format alone. Weights, pictures and draws are
equal, so that losses must agree.

Each runs in a process of its own. Use CPU seconds on a shared machine. Memory is that
of the tensors, as torch's allocator counts it. Prints a Markdown table.

Examples::

    python tools/benchmarks/unsupervised_step.py
    python tools/benchmarks/unsupervised_step.py --cases 'lmdis light' --batch 16
"""

import argparse
import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from measure import build_quietly, machine, measure, tensor_peak_mib
from mmengine.config import Config
from plain_unsupervised import STEPS, plain_layers
from torch import nn

import mmkp  # noqa: F401  registers the models
from mmkp.engine.cli import run_tool

FOLDER = Path(__file__).parents[2] / 'configs' / 'unsupervised_2d_keypoint'
#: Name -> config and side of its pictures in pixels.
CASES = {
    'fse published': ('factorized_spatial_embedding/_base_/fse_128x128.py', 146),
    'fse light': ('factorized_spatial_embedding/_base_/fse_light_64x64.py', 64),
    'lmdis published': ('lmdis/_base_/lmdis_80x80.py', 80),
    'lmdis light': ('lmdis/_base_/lmdis_light_64x64.py', 64),
}
#: Name -> keypoints K.
KEYPOINTS = {name: 32 if name == 'fse published' else 10 for name in CASES}
VARIANTS = ('plain', 'plain, channels last', 'mmkp, NCHW', 'mmkp')


class Step(NamedTuple):
    """What is known after a step."""

    loss: float
    gradient: float  # norm over all parameters
    tensor_mib: float  # peak


def build(case: str, keypoints: int | None, channels_last: bool) -> nn.Module:
    """Build the model of a case at seeded weights, in training mode."""
    config = Config.fromfile(FOLDER / CASES[case][0]).model
    config.head.num_keypoints = keypoints or KEYPOINTS[case]
    model = build_quietly(dict(config, channels_last=False))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')
        model.init_weights()
    if channels_last:
        # After the start: in another memory order the same draws are other weights.
        model.memory_format = torch.channels_last
        model.to(memory_format=model.memory_format)
    return model.train()


def prepare(
    case: str,
    variant: str,
    batch: int,
    keypoints: int | None = None,
    side: int | None = None,
    memory: bool = True,
) -> Callable[[], Step]:
    """Prepare training steps.

    Args:
        case (str): one of ``CASES``.
        variant (str): one of ``VARIANTS``.
        batch (int): images B.
        keypoints (int, optional): keypoints K, ``KEYPOINTS`` if None.
        side (int, optional): pixels of a side, those of the config if None.
        memory (bool): whether to count the memory of the tensors.

    Returns:
        Callable: makes the same step each time.
    """
    channels_last = variant in ('plain, channels last', 'mmkp')
    model = build(case, keypoints, channels_last)
    name = type(model).__name__
    side = side or CASES[case][1]
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(batch, 3, side, side, generator=generator)
    if name != 'LMDIS':
        images = 2 * images - 1
    if variant.startswith('plain'):
        model = plain_layers(model)
        if channels_last:
            model.to(memory_format=torch.channels_last)
            images = images.contiguous(memory_format=torch.channels_last)

    def train() -> float:
        model.zero_grad()
        torch.manual_seed(2)  # the same warps and colours for all
        if variant.startswith('plain'):
            loss = STEPS[name](model, images)
        else:
            loss = sum(model.loss(images).values())
        loss.backward()
        return loss.item()

    peak = tensor_peak_mib(train) if memory else 0.0

    def step() -> Step:
        loss = train()
        squares = [
            p.grad.square().sum() for p in model.parameters() if p.grad is not None
        ]
        return Step(loss, torch.stack(squares).sum().sqrt().item(), peak)

    return step


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Compare training steps of FSE and LMDIS with plain ones.'
    )
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument(
        '--keypoints', type=int, help='32 of FSE as published, else 10, if left out'
    )
    parser.add_argument('--side', type=int, help='pixels; as the configs if left out')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--cases', nargs='+', default=list(CASES), choices=CASES)
    parser.add_argument('--variants', nargs='+', default=VARIANTS, choices=VARIANTS)
    args = parser.parse_args(arguments)
    print(
        f'{machine(args.threads)}, batch {args.batch}, median of {args.repeats} '
        'steps; ratios are to the first row of a model\n\n'
        '| model | step | CPU, s | ratio | wall, s | tensors at peak, MiB | ratio '
        '| loss | norm of the gradient |\n'
        '|---|---|---:|---:|---:|---:|---:|---:|---:|'
    )
    for case in args.cases:
        first = None
        for variant in args.variants:
            arguments_of_step = (case, variant, args.batch, args.keypoints, args.side)
            cost = measure(prepare, arguments_of_step, args.repeats, args.threads)
            first = first or cost
            found: Step = cost.result
            print(
                f'| {case} | {variant} | {cost.cpu_s:.2f} '
                f'| {cost.cpu_s / first.cpu_s:.2f} | {cost.wall_s:.2f} '
                f'| {found.tensor_mib:.0f} '
                f'| {found.tensor_mib / first.result.tensor_mib:.2f} '
                f'| {found.loss:.6g} | {found.gradient:.5g} |',
                flush=True,
            )


if __name__ == '__main__':
    run_tool(main)
