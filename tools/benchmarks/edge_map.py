# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare the fused edge map with one that draws all edges before the maximum.

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

from mmkp.ops.edge_map import complete_graph, edge_map


def all_edges_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
) -> Tensor:
    """Draw every edge into its own map (B, E, H, W), then take the maximum.

    Args:
        keypoints (Tensor): (B, K, 2) float, (x, y) in pixels.
        edge_weights (Tensor): (E,) float, for the complete graph.
        image_size (tuple[int, int]): width W and height H in pixels.
        thickness_px2 (float): squared pixels.

    Returns:
        Tensor: (B, 1, H, W) float.
    """
    width, height = image_size
    edges = complete_graph(keypoints.shape[1])
    start = keypoints[:, edges[:, 0], :, None, None]
    step = keypoints[:, edges[:, 1], :, None, None] - start
    dx = torch.arange(width) - start[:, :, 0]
    dy = torch.arange(height)[:, None] - start[:, :, 1]
    step_x, step_y = step[:, :, 0], step[:, :, 1]
    length2 = step_x**2 + step_y**2 + 1e-8
    along = ((dx * step_x + dy * step_y) / length2).clamp(0, 1)
    d2 = (dx - along * step_x) ** 2 + (dy - along * step_y) ** 2
    values = edge_weights[:, None, None] * torch.exp(-d2 / thickness_px2)
    return values.max(1, keepdim=True).values


FORMULATIONS = {'all edges': all_edges_map, 'fused': edge_map}


def prepare(
    name: str, batch: int, num_keypoints: int, side: int, thickness: float
) -> Callable[[], tuple[Tensor, ...]]:
    """Prepare one forward and backward pass on seeded random inputs.

    Args:
        name (str): key of ``FORMULATIONS``.
        batch (int): images B.
        num_keypoints (int): keypoints K, joined by a complete graph.
        side (int): width and height in pixels.
        thickness (float): in squared units of an image that spans [-1, 1].

    Returns:
        Callable: returns the map and the gradients of keypoints and weights.
    """
    generator = torch.Generator().manual_seed(0)
    keypoints = torch.rand(batch, num_keypoints, 2, generator=generator) * (side - 1)
    logits = torch.randn(len(complete_graph(num_keypoints)), generator=generator)
    weights = torch.nn.functional.softplus(logits)
    target = torch.rand(batch, 1, side, side, generator=generator) * 2 - 1
    inputs = keypoints.requires_grad_(), weights.requires_grad_()

    def call() -> tuple[Tensor, ...]:
        size, thickness_px2 = (side, side), thickness * ((side - 1) / 2) ** 2
        values = FORMULATIONS[name](*inputs, size, thickness_px2)
        return values.detach(), *torch.autograd.grad((values * target).sum(), inputs)

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
        '--all-edges-repeats', type=int, default=3, help='timed calls of the other'
    )
    return parser.parse_args()


def difference(ours: Cost, reference: Cost) -> float:
    """Largest deviation of map and gradients, relative to the largest entry of each."""
    pairs = zip(ours.result, reference.result, strict=True)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def main() -> None:
    """Measure the cases and print a table."""
    args = parse_args()
    print(
        f'{platform.machine()}, torch {torch.__version__}, {args.threads} thread(s), '
        f'float32, thickness {args.thickness}; medians, forward + backward'
    )
    header = f'{"case":>12}  {"edges":>5}  {"form":>9}  {"CPU s":>8}  {"wall s":>8}'
    print(f'{header}  {"extra MiB":>9}  {"CPU ratio":>9}  {"memory ratio":>12}')
    for case in args.cases:
        try:
            batch, num_keypoints, side = (int(number) for number in case.split('x'))
        except ValueError:
            raise SystemExit(
                f'--cases: {case!r} is not like 8x10x128 (batch x keypoints x side)'
            ) from None
        num_edges = len(complete_graph(num_keypoints))
        costs = {}
        for name in FORMULATIONS:
            repeats = args.repeats if name == 'fused' else args.all_edges_repeats
            arguments = (name, batch, num_keypoints, side, args.thickness)
            cost = costs[name] = measure(prepare, arguments, repeats, args.threads)
            row = f'{case:>12}  {num_edges:>5}  {name:>9}  {cost.cpu_s:8.4f}'
            print(f'{row}  {cost.wall_s:8.4f}  {cost.extra_mib:9.1f}', end='')
            if name == 'fused':
                plain = costs['all edges']
                memory_ratio = plain.extra_mib / max(cost.extra_mib, 0.1)
                print(f'  {plain.cpu_s / cost.cpu_s:8.1f}x  {memory_ratio:11.1f}x')
                print(f'{"":>12}  largest difference {difference(cost, plain):.1e}')
            else:
                print(flush=True)


if __name__ == '__main__':
    main()
