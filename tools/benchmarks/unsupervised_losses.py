# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare the losses of unsupervised models with loops over keypoints and pairs.

A loop is what the equations say: one keypoint, or one pair of keypoints, at a time,
over the whole batch. Both sides compute the loss and its gradient with respect to the
heatmaps, keypoints or pictures that they get. For example::

    python tools/benchmarks/unsupervised_losses.py --keypoints 10 30
"""

import argparse
import itertools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from measure import machine, measure
from torch import Tensor

from mmkp.engine.cli import run_tool
from mmkp.models.losses import (
    ConcentrationLoss,
    DiversityLoss,
    EquivarianceLoss,
    SeparationLoss,
    SquaredErrorLoss,
)
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline, random_thin_plate_spline

WINDOW = 4
BANDWIDTH = 0.08
TRAINED = (
    'heatmaps',
    'warped_heatmaps',
    'keypoints',
    'warped_keypoints',
    'reconstruction',
)


class Inputs:
    """Random inputs of all losses; maps at the resolution of the pictures."""

    def __init__(self, batch: int, keypoints: int, side: int) -> None:
        generator = torch.Generator().manual_seed(0)

        def maps() -> Tensor:
            logits = 3 * torch.randn(batch, keypoints, side * side, generator=generator)
            return logits.softmax(-1).view(batch, keypoints, side, side)

        self.side = side
        self.geometry = MapGeometry.inclusive((side, side), (side, side))
        self.heatmaps, self.warped_heatmaps = maps(), maps()
        places = torch.rand(2, batch, keypoints, 2, generator=generator) * (side - 1)
        self.keypoints, self.warped_keypoints = places
        images = torch.rand(2, batch, 3, side, side, generator=generator)
        self.images, self.reconstruction = images
        self.warp: ThinPlateSpline = random_thin_plate_spline(
            batch, (side, side), generator=generator
        )
        self.trained = [getattr(self, name) for name in TRAINED]
        for tensor in self.trained:
            tensor.requires_grad_()

    def gradients(self) -> dict[str, Tensor]:
        """Gradients, of heatmaps that of the scores before their softmax.

        That of the heatmaps themselves may differ by a constant, as their sum is 1.
        """
        found = {}
        for name, tensor in zip(TRAINED, self.trained, strict=True):
            if (gradient := tensor.grad) is not None:
                if name.endswith('heatmaps'):
                    mean = (tensor * gradient).sum((2, 3), keepdim=True)
                    gradient = tensor * (gradient - mean)
                found[name] = gradient.detach().clone()
        return found

    def cells(self) -> tuple[Tensor, Tensor]:
        """Positions of the cells and where they come from, in half sides."""
        line = torch.arange(float(self.side))
        cells = torch.stack(torch.meshgrid(line, line, indexing='xy'), -1).view(-1, 2)
        source = self.warp.points_to_source(
            cells.expand(len(self.images), -1, -1).contiguous()
        )
        half = (self.side - 1) / 2
        return cells / half - 1, source / half - 1


def loop_expected(x: Inputs) -> Tensor:
    """Equivariance, expanded, one keypoint after the other."""
    u, gv = x.cells()
    total = torch.zeros(())
    for k in range(x.heatmaps.shape[1]):
        p = x.heatmaps[:, k].flatten(1)[..., None]
        q = x.warped_heatmaps[:, k].flatten(1)[..., None]
        square = (p * u.square()).sum((1, 2)) + (q * gv.square()).sum((1, 2))
        cross = ((p * u).sum(1) * (q * gv).sum(1)).sum(1)
        total = total + (square - 2 * cross).mean()
    total = total / x.heatmaps.shape[1]
    total.backward()
    return total


def double_sum_expected(x: Inputs) -> Tensor:
    """Equivariance by its definition, all pairs of cells, one image after the other."""
    u, gv = x.cells()
    value = torch.zeros(())
    for p, q, source in zip(x.heatmaps, x.warped_heatmaps, gv, strict=True):
        squared = torch.cdist(u, source).square()
        part = ((p.flatten(1) @ squared) * q.flatten(1)).sum()
        part = part / (x.heatmaps.shape[0] * x.heatmaps.shape[1])
        part.backward()  # now, or the pairs of all images have to be kept
        value = value + part.detach()
    return value


def loop_means(x: Inputs) -> Tensor:
    """Equivariance of the means, one keypoint after the other."""
    total = torch.zeros(())
    for k in range(x.keypoints.shape[1]):
        back = x.warp.points_to_source(x.warped_keypoints[:, k : k + 1])[:, 0]
        difference = (x.keypoints[:, k] - back) / (x.side / 2)
        total = total + difference.square().sum(1).mean()
    total = total / x.keypoints.shape[1]
    total.backward()
    return total


def _pooled(heatmap: Tensor) -> Tensor:
    padded = F.pad(heatmap[:, None], (WINDOW - 1,) * 4)
    return F.avg_pool2d(padded, WINDOW, stride=1)[:, 0]


def loop_diversity(x: Inputs) -> Tensor:
    """Shared mass, one keypoint after the other."""
    total = largest = _pooled(x.heatmaps[:, 0])
    for k in range(1, x.heatmaps.shape[1]):
        pooled = _pooled(x.heatmaps[:, k])
        total, largest = total + pooled, torch.maximum(largest, pooled)
    loss = (total - largest).sum((1, 2)).mean()
    loss.backward()
    return loss


def loop_quadratic(x: Inputs) -> Tensor:
    """Shared mass of ordered pairs, one pair after the other."""
    pooled = [_pooled(x.heatmaps[:, k]) for k in range(x.heatmaps.shape[1])]
    total = torch.zeros(())
    for first, second in itertools.combinations(pooled, 2):
        total = total + 2 * (first * second).sum((1, 2)).mean()
    total.backward()
    return total


def loop_concentration(x: Inputs) -> Tensor:
    """Spread, one keypoint after the other."""
    line = torch.arange(float(x.side)) / x.side
    columns, rows = torch.meshgrid(line, line, indexing='xy')
    total = torch.zeros(())
    for k in range(x.heatmaps.shape[1]):
        p, deviations = x.heatmaps[:, k], []
        for place in (columns, rows):
            mean = (p * place).sum((1, 2), keepdim=True)
            deviations.append((p * (place - mean).square()).sum((1, 2)).sqrt())
        sigma = (deviations[0] + deviations[1]) / 2
        total = total + 2 * math.pi * math.e * sigma.square().mean()
    total.backward()
    return total


def loop_separation(x: Inputs) -> Tensor:
    """Gaussians of distances, one pair after the other."""
    total = torch.zeros(())
    for k, other in itertools.combinations(range(x.keypoints.shape[1]), 2):
        difference = (x.keypoints[:, k] - x.keypoints[:, other]) / x.side
        squared = difference.square().sum(1)
        total = total + 2 * (-squared / (2 * BANDWIDTH**2)).exp().mean()
    total.backward()
    return total


def loop_squared_error(x: Inputs) -> Tensor:
    """Errors of pixels, one image after the other."""
    total = torch.zeros(())
    for found, image in zip(x.reconstruction, x.images, strict=True):
        total = total + 0.5 * ((found - image) ** 2).sum()
    total = total / len(x.images)
    total.backward()
    return total


PLAIN: dict[str, Callable[[Inputs], Tensor]] = {
    'equivariance, expected': loop_expected,
    'equivariance, double sum': double_sum_expected,
    'equivariance, means': loop_means,
    'diversity, max': loop_diversity,
    'diversity, quadratic': loop_quadratic,
    'concentration': loop_concentration,
    'separation': loop_separation,
    'squared error': loop_squared_error,
}
LOSSES = {
    'equivariance, expected': EquivarianceLoss(),
    'equivariance, double sum': EquivarianceLoss(),
    'equivariance, means': EquivarianceLoss(variant='means'),
    'diversity, max': DiversityLoss(WINDOW),
    'diversity, quadratic': DiversityLoss(WINDOW, variant='quadratic'),
    'concentration': ConcentrationLoss(),
    'separation': SeparationLoss(BANDWIDTH),
    'squared error': SquaredErrorLoss(),
}


def prepare(
    name: str, plain: bool, batch: int, keypoints: int, side: int
) -> Callable[[], float]:
    """Prepare one loss with its gradient, for timing.

    Args:
        name (str): one of ``LOSSES``.
        plain (bool): as loops instead.
        batch (int): images B.
        keypoints (int): keypoints K.
        side (int): width and height of maps and pictures.

    Returns:
        Callable: computes the gradient and returns the loss.
    """
    inputs = Inputs(batch, keypoints, side)

    def call() -> float:
        for tensor in inputs.trained:
            tensor.grad = None
        return compute(name, plain, inputs)

    return call


def compute(name: str, plain: bool, inputs: Inputs) -> float:
    """Add the gradient of one loss to its inputs and return the loss."""
    if plain:
        return PLAIN[name](inputs).item()
    loss = LOSSES[name]
    value = loss(**{key: getattr(inputs, key) for key in loss.inputs})
    value.backward()
    return value.item()


def difference(name: str, batch: int, keypoints: int, side: int) -> float:
    """Largest relative difference of both formulations, of the loss and its gradients.

    Args:
        name (str): one of ``LOSSES``.
        batch (int): images B.
        keypoints (int): keypoints K.
        side (int): width and height of maps and pictures.

    Returns:
        float: relative to the loss, and to the largest entry of each gradient.
    """
    both = [Inputs(batch, keypoints, side) for _ in range(2)]
    loop, ours = (
        compute(name, plain, inputs)
        for plain, inputs in zip((True, False), both, strict=True)
    )
    wanted, found = (inputs.gradients() for inputs in both)
    differences = [abs(ours / loop - 1)]
    for key in {**wanted, **found}:
        size = wanted[key].abs().max()
        differences.append(((found[key] - wanted[key]).abs().max() / size).item())
    return max(differences)


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Compare the losses of unsupervised models with plain loops.'
    )
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--keypoints', type=int, nargs='+', default=[10, 30])
    parser.add_argument('--side', type=int, default=64, help='cells and pixels')
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--losses', nargs='+', default=list(LOSSES), choices=LOSSES)
    args = parser.parse_args(arguments)
    print(
        f'{machine(args.threads)}; '
        f'B{args.batch}, {args.side} x {args.side}, loss and gradient, median of '
        f'{args.repeats}'
    )
    print(f'{"loss":26s}  K  loop ms  mmkp ms  ratio  loop MiB  mmkp MiB  difference')
    for keypoints, name in itertools.product(args.keypoints, args.losses):
        case = (args.batch, keypoints, args.side)
        loop, ours = (
            measure(prepare, (name, plain, *case), args.repeats, args.threads)
            for plain in (True, False)
        )
        largest = difference(name, 2, keypoints, min(args.side, 16))
        print(
            f'{name:26s} {keypoints:2d} {1e3 * loop.cpu_s:8.2f} '
            f'{1e3 * ours.cpu_s:8.2f} {loop.cpu_s / ours.cpu_s:6.1f} '
            f'{loop.extra_mib:9.1f} {ours.extra_mib:9.1f}  {largest:.0e}',
            flush=True,
        )


if __name__ == '__main__':
    run_tool(main)
