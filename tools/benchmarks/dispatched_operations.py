# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Count what an accelerator would be asked to do, without one.

Operations that torch dispatches forward and backward, and how often the host would wait
for the device, in the form of CPUs and in that of accelerators
(mmkp.testing.dispatch_counter). The latter is counted on tensors without values, so
that sizes may be any; the former has to compute. Prints Markdown tables.

Examples::

    python tools/benchmarks/dispatched_operations.py
    python tools/benchmarks/dispatched_operations.py --keypoints 64 --memory-gib 4
    python tools/benchmarks/dispatched_operations.py --only steps
"""

import argparse
import math
from collections.abc import Iterable
from unittest import mock

import torch
from training_steps import METHODS, prepare_step

from mmkp.engine.cli import run_tool
from mmkp.ops import accelerators
from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import complete_graph
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows
from mmkp.testing.dispatch_counter import (
    DispatchCounter,
    forms_of_accelerators,
    without_values,
)

PARTS = ('edge_map', 'token_maps', 'steps')
#: Sides of the four layers of Stable Diffusion 1.5 that StableKeypoints reads.
LAYERS = (16, 16, 16, 32)


def count_edge_map(num_keypoints: int, batch: int, side: int) -> DispatchCounter:
    """Count a forward and backward pass on torch's default device."""
    torch.manual_seed(0)
    keypoints = torch.rand(batch, num_keypoints, 2) * (side - 1)
    weights = torch.rand(math.comb(num_keypoints, 2))
    inputs = keypoints.requires_grad_(), weights.requires_grad_()
    edges, grad = complete_graph(num_keypoints), torch.rand(batch, 1, side, side)
    thickness_px2 = 1e-3 * ((side - 1) / 2) ** 2
    with DispatchCounter() as counter:
        values = edge_map(*inputs, (side, side), thickness_px2, edges)
        torch.autograd.grad(values, inputs, grad)
    return counter


def count_token_maps(batch: int, memory_limit: int | None) -> DispatchCounter:
    """Count a forward and backward pass at the size of Stable Diffusion 1.5."""
    logits = [torch.rand(batch, 8, s, s, 500).requires_grad_() for s in LAYERS]
    tokens = torch.zeros(batch, 10, dtype=torch.int64)
    grad = torch.rand(batch, 10, 128, 128)
    with DispatchCounter() as counter:
        maps = attention_maps_by_rows(logits, (128, 128), tokens, memory_limit)
        torch.autograd.grad(maps, logits, grad)
    return counter


def count_step(name: str) -> DispatchCounter:
    """Count a light training step, after a first one that makes what is kept."""
    step = prepare_step(name)
    step.run()
    with DispatchCounter() as counter:
        step.run()
    return counter


def cells(counters: Iterable[DispatchCounter]) -> str:
    """Operations and synchronizations of each counter, as cells of a row."""
    return ' | '.join(
        f'{c.operations.total()} | {c.synchronizations.total()}' for c in counters
    )


def print_edge_map(args: argparse.Namespace) -> None:
    """One row for each number of keypoints."""
    print(f'Edge map, batch {args.batch}, {args.side} x {args.side}\n')
    print_header('keypoints')
    for number in args.keypoints:
        before = count_edge_map(number, args.batch, args.side)
        with without_values():
            after = count_edge_map(number, args.batch, args.side)
        print(f'| {number} | {cells((before, after))} |', flush=True)


def print_token_maps(args: argparse.Namespace) -> None:
    """One row for each number of images."""
    print(f'\nToken maps of {len(LAYERS)} layers, 500 tokens, 10 chosen, 128 x 128\n')
    print_header('images')
    for batch in args.images:
        with without_values():
            before = count_token_maps(batch, accelerators.CPU_WORKING_SET)
            after = count_token_maps(batch, None)
        print(f'| {batch} | {cells((before, after))} |', flush=True)


def print_steps(args: argparse.Namespace) -> None:
    """One row for each method."""
    print('\nTraining steps of the light configs, batch 2\n')
    print_header('method')
    for name in METHODS:
        before = count_step(name)
        with forms_of_accelerators():
            after = count_step(name)
        print(f'| {name} | {cells((before, after))} |', flush=True)


def print_header(title: str) -> None:
    """Print the head of a table."""
    print(
        f'| {title} | form of CPUs: operations | synchronizations '
        '| form of accelerators: operations | synchronizations |\n'
        '|---|---:|---:|---:|---:|'
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', nargs='+', default=PARTS, choices=PARTS)
    parser.add_argument('--keypoints', nargs='+', type=int, default=[2, 10, 32, 64])
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument(
        '--images', nargs='+', type=int, default=[1, 4, 16], help='of token maps'
    )
    parser.add_argument('--side', type=int, default=128, help='pixels')
    parser.add_argument(
        '--memory-gib',
        type=float,
        default=9.6,
        help='what an operation may take in between; two fifths of 24 when left out',
    )
    args = parser.parse_args(arguments)
    size = int(args.memory_gib * 2**30)
    limit = mock.patch.object(accelerators, 'DEFAULT_WORKING_SET', size)
    prints = dict(
        edge_map=print_edge_map, token_maps=print_token_maps, steps=print_steps
    )
    with limit:
        for part in args.only:
            prints[part](args)


if __name__ == '__main__':
    run_tool(main)
