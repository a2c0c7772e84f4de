# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare the fused edge map with the plain formula, which draws all edges first.

Both run forward and backward, with gradients of keypoints and weights, in fresh
processes right after each other. Use CPU seconds and ratios on a shared machine.

Examples::

    python tools/benchmarks/edge_map.py
    python tools/benchmarks/edge_map.py --cases 8x10x128 16x16x256 --threads 2
"""

import argparse
import platform
from collections.abc import Callable

import torch
from measure import Cost, measure
from torch import Tensor

from mmkp.engine.cli import run_tool
from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import complete_graph, plain_edge_map

FORMS = {'fused': edge_map, 'plain': plain_edge_map}


def prepare(
    name: str, batch: int, num_keypoints: int, side: int, thickness: float
) -> Callable[[], tuple[Tensor, ...]]:
    """Prepare one forward and backward pass on seeded random inputs.

    Args:
        name (str): key of ``FORMS``.
        batch (int): images B.
        num_keypoints (int): keypoints K, joined by a complete graph.
        side (int): width and height in pixels.
        thickness (float): in squared units of an image that spans [-1, 1].

    Returns:
        Callable: returns the map and the gradients of keypoints and weights.
    """
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(batch, num_keypoints, 2, generator=generator) * (side - 1)
    edges = complete_graph(num_keypoints)
    logits = torch.randn(len(edges), generator=generator)
    weights = torch.nn.functional.softplus(logits)
    target = torch.rand(batch, 1, side, side, generator=generator) * 2 - 1
    inputs = keypoints.requires_grad_(), weights.requires_grad_()

    def call() -> tuple[Tensor, ...]:
        size, thickness_px2 = (side, side), thickness * ((side - 1) / 2) ** 2
        values = FORMS[name](*inputs, size, thickness_px2, edges)
        return values.detach(), *torch.autograd.grad(values, inputs, target)

    return call


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--cases',
        nargs='+',
        default=['8x10x128', '8x16x128', '4x32x128'],
        help='batch x keypoints x side of the image (default: %(default)s)',
    )
    parser.add_argument(
        '--thickness',
        type=float,
        default=1e-3,
        help="the paper's thickness, for an image that spans [-1, 1] "
        '(default: %(default)s)',
    )
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument(
        '--repeats', type=int, default=15, help='timed calls of the fused form'
    )
    parser.add_argument(
        '--plain-repeats', type=int, default=3, help='timed calls of the plain form'
    )
    return parser.parse_args()


def difference(reference: Cost, ours: Cost) -> float:
    """Largest deviation of map and gradients, relative to the largest entry of each."""
    pairs = zip(ours.result, reference.result, strict=True)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def parse_case(case: str) -> tuple[int, int, int]:
    """Read batch, keypoints and side from a string like 8x10x128."""
    try:
        batch, num_keypoints, side = (int(number) for number in case.split('x'))
    except ValueError:
        batch = num_keypoints = side = 0
    if batch < 1 or num_keypoints < 2 or side < 1:
        raise ValueError(
            f'--cases: {case!r} is not like 8x10x128 (batch x keypoints x side, with '
            'two keypoints or more)'
        )
    return batch, num_keypoints, side


def main() -> None:
    """Measure the cases and print a table."""
    args = parse_args()
    cases = {case: parse_case(case) for case in args.cases}
    print(
        f'{platform.machine()}, torch {torch.__version__}, {args.threads} thread(s), '
        f'float32, thickness {args.thickness}; medians, forward + backward'
    )
    titles = 'CPU s', 'wall s', 'extra MiB', 'CPU ratio', 'memory ratio', 'difference'
    header = ''.join(f'{title:>14}' for title in titles)
    print(f'{"case":<10}{"edges":>6}  {"form":<10}{header}')
    for case, numbers in cases.items():
        costs: dict[str, Cost] = {}
        for name in FORMS:
            repeats = args.repeats if name == 'fused' else args.plain_repeats
            arguments = (name, *numbers, args.thickness)
            cost = costs[name] = measure(prepare, arguments, repeats, args.threads)
            edges = len(complete_graph(numbers[1]))
            row = f'{cost.cpu_s:14.4f}{cost.wall_s:14.4f}{cost.extra_mib:14.1f}'
            if name != 'fused':
                fused = costs['fused']
                row += f'{cost.cpu_s / fused.cpu_s:13.1f}x'
                row += f'{cost.extra_mib / max(fused.extra_mib, 0.1):13.1f}x'
                row += f'{difference(cost, fused):14.1e}'
            print(f'{case:<10}{edges:>6}  {name:<10}{row}', flush=True)


if __name__ == '__main__':
    run_tool(main)
