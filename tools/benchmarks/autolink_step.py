# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare AutoLink's training step with one that is written down plainly.

A step is detector, generator, perceptual loss, backward and AdamW. The plain one takes
each layer as the paper's text lists it: every convolution by itself and then the
bilinear halving, all edges drawn before the maximum, NCHW memory, AdamW as it comes.
Both start from the same weights, pictures and masks; their losses are compared before
their costs are printed. Use CPU seconds and ratios on a shared machine.

Examples::

    python tools/benchmarks/autolink_step.py
    python tools/benchmarks/autolink_step.py --vgg-size 0 --batch 4 --repeats 5
"""

import argparse
import platform
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from measure import measure
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor, nn

import mmkp  # noqa: F401  registers the models
from mmkp.engine.cli import run_tool
from mmkp.ops.edge_map.formula import complete_graph, plain_edge_map

LR, DECAY, FACTOR = 1e-4, 1e-3, 512
VARIANTS = ('plain', 'plain, channels last', 'mmkp, NCHW', 'mmkp')


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    """3x3 convolution that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def resize(x: Tensor, factor: float) -> Tensor:
    """Resize bilinearly."""
    return F.interpolate(x, scale_factor=factor, mode='bilinear', align_corners=False)


class PlainBlock(nn.Module):
    """Residual block: each branch convolves first and halves the result."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(inputs, outputs), conv(outputs, outputs)
        self.skip_conv = conv(inputs, outputs)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.skip_bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, O, H/2, W/2)."""
        main = F.leaky_relu(self.bn1(resize(self.conv1(x), 0.5)), 0.2)
        main = self.bn2(self.conv2(main))
        return F.leaky_relu(main + self.skip_bn(resize(self.skip_conv(x), 0.5)), 0.2)


class PlainAutoLink(nn.Module):
    """The whole model with parameters named as in :class:`mmkp.models.AutoLink`."""

    def __init__(self, num_keypoints: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.num_keypoints = num_keypoints
        w, top = widths, widths[-1]
        pairs = list(zip((3, *w[:-1]), w, strict=True))
        self.backbone = nn.Module()
        self.backbone.blocks = nn.Sequential(*(PlainBlock(*p) for p in pairs))
        self.head = nn.Module()
        self.head.upsample = nn.ModuleList(
            nn.Sequential(nn.Identity(), conv(a, b), nn.BatchNorm2d(b))
            for a, b in ((top, top // 2), (top // 2, top // 4))
        )
        self.head.final_layer = conv(top // 4, num_keypoints)
        unet = nn.Module()
        unet.stem = conv(4, w[0])
        downs = list(zip(w, (*w[1:], top), strict=True))
        unet.down = nn.ModuleList(
            nn.Sequential(
                conv(a, b), nn.BatchNorm2d(b), nn.Identity(),
                conv(b, b), nn.BatchNorm2d(b),
            )
            for a, b in downs
        )  # fmt: skip
        unet.up = nn.ModuleList()
        inputs = top
        for outputs in w[::-1]:
            up = nn.Module()
            up.layers = nn.Sequential(
                conv(inputs, outputs), nn.BatchNorm2d(outputs), nn.Identity(),
                conv(outputs, outputs), nn.BatchNorm2d(outputs),
            )  # fmt: skip
            unet.up.append(up)
            inputs = 2 * outputs
        unet.final_layer = conv(inputs, 3)
        self.generator = nn.Module()
        self.generator.unet = unet
        edges = num_keypoints * (num_keypoints - 1) // 2
        self.generator.edge_logits = nn.Parameter(torch.zeros(edges))
        self.generator.visible_scale = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct (B, 3, H, W)."""
        side = images.shape[-1]
        x = self.backbone.blocks(images)
        for block in self.head.upsample:
            x = F.leaky_relu(block(resize(x, 2)), 0.2)
        x = self.head.final_layer(x)
        heatmaps = x.flatten(2).softmax(-1).view_as(x)
        grid = torch.linspace(0, side - 1, x.shape[-1])
        points = ((heatmaps.sum(2) * grid).sum(-1), (heatmaps.sum(3) * grid).sum(-1))
        weights = F.softplus(self.generator.edge_logits * FACTOR)
        thickness = 1e-3 * ((side - 1) / 2) ** 2
        edges = plain_edge_map(
            torch.stack(points, -1),
            weights,
            (side, side),
            thickness,
            complete_graph(self.num_keypoints),
        )
        hidden = torch.rand(len(images), 1, 16, 16) < 0.8
        mask = F.interpolate((~hidden).float(), size=side)
        masked = images * mask * self.generator.visible_scale
        return self.complete(torch.cat((masked, edges), 1))

    def complete(self, x: Tensor) -> Tensor:
        """Run the U-Net."""
        unet = self.generator.unet
        features = [F.leaky_relu(unet.stem(x), 0.2)]
        for down in unet.down:
            y = F.leaky_relu(down[1](down[0](features[-1])), 0.2)
            features.append(F.leaky_relu(resize(down[4](down[3](y)), 0.5), 0.2))
        x = features.pop()
        for up in unet.up:
            conv1, bn1, _, conv2, bn2 = up.layers
            x = F.leaky_relu(bn1(conv1(resize(x, 2))), 0.2)
            x = F.leaky_relu(bn2(conv2(x)), 0.2)
            x = torch.cat((x, features.pop()), 1)
        return unet.final_layer(x)


class PlainPerceptual(nn.Module):
    """The perceptual loss with layers of torch.nn, in two passes."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.size = loss.image_size
        self.register_buffer('mean', -loss.shift / loss.gain)
        self.register_buffer('std', 1 / loss.gain)
        self.blocks = nn.ModuleList()
        block: list[nn.Module] = []
        for i, name in enumerate(loss.features.plan):
            if i and name[4] != loss.features.plan[i - 1][4]:
                self.blocks.append(nn.Sequential(*block))
                block = [nn.MaxPool2d(2)]
            weight = getattr(loss.features, f'{name}_weight')
            layer = conv(weight.shape[1], weight.shape[0])
            layer.weight.data.copy_(weight)
            layer.bias.data.copy_(getattr(loss.features, f'{name}_bias'))
            block += [layer, nn.ReLU()]
        self.blocks.append(nn.Sequential(*block))
        self.requires_grad_(False)

    def forward(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Sum the mean absolute differences after the four blocks."""
        x, y = (found - self.mean) / self.std, (wanted - self.mean) / self.std
        if self.size is not None:
            x, y = (F.interpolate(v, self.size, mode='bilinear') for v in (x, y))
        total = torch.zeros(())
        for block in self.blocks:
            x, y = block(x), block(y)
            total = total + (x - y).abs().mean()
        return total


def build_mmkp(num_keypoints: int, width: int, vgg_size: int | None) -> nn.Module:
    """Build mmkp's AutoLink at seeded weights, with a random VGG."""
    init_default_scope('mmpose')
    torch.manual_seed(0)
    widths = tuple(width * factor for factor in (1, 2, 4, 8))
    head = dict(upsample_channels=(widths[-1] // 2, widths[-1] // 4))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return MODELS.build(
            dict(
                type='AutoLink',
                backbone=dict(type='AutoLinkEncoder', channels=widths),
                head=dict(
                    type='SoftArgmaxHead',
                    in_channels=widths[-1],
                    num_keypoints=num_keypoints,
                    **head,
                ),
                generator=dict(
                    type='EdgeMapGenerator',
                    num_keypoints=num_keypoints,
                    channels=(*widths, widths[-1]),
                ),
                losses=dict(
                    perceptual=dict(
                        type='PerceptualLoss', image_size=vgg_size, base_channels=width
                    )
                ),
            )
        ).train()


def prepare(
    variant: str, batch: int, num_keypoints: int, side: int, vgg_size: int, width: int
) -> Callable[[], float]:
    """Prepare training steps of one variant.

    Args:
        variant (str): one of ``VARIANTS``.
        batch (int): images B.
        num_keypoints (int): keypoints K.
        side (int): width and height of the pictures in pixels.
        vgg_size (int): pixels to which the loss resizes; 0 for the pictures' own size.
        width (int): channels of the first level; AutoLink's and VGG's is 64.

    Returns:
        Callable: makes a step and returns all losses so far.
    """
    model = build_mmkp(num_keypoints, width, vgg_size or None)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(batch, 3, side, side, generator=generator) * 2 - 1
    if variant.startswith('plain'):
        plain = PlainAutoLink(num_keypoints, tuple(width * f for f in (1, 2, 4, 8)))
        state = model.state_dict()
        state['generator.edge_logits'] = state['generator.edge_logits'] / FACTOR
        plain.load_state_dict(state)
        loss = PlainPerceptual(model.losses['perceptual'])
        optimizer = torch.optim.AdamW(plain.parameters(), LR, weight_decay=DECAY)
        model = plain.train()
    else:
        logits = [model.generator.edge_logits]
        others = [p for p in model.parameters() if p is not logits[0]]
        groups = [
            dict(params=others, weight_decay=DECAY),
            dict(params=logits, lr=LR * FACTOR, weight_decay=0.0),
        ]
        # As small as the logits' gradients are, see the plain parameter.
        optimizer = torch.optim.AdamW(groups, LR, eps=1e-8 / FACTOR, fused=True)
    memory_format = torch.channels_last
    if variant in ('plain', 'mmkp, NCHW'):
        memory_format = torch.contiguous_format
    model.to(memory_format=memory_format)
    if variant == 'mmkp, NCHW':
        model.memory_format = memory_format
    images = images.contiguous(memory_format=memory_format)
    losses: list[float] = []

    def step() -> list[float]:
        torch.manual_seed(len(losses))  # the same masks for all
        if variant.startswith('plain'):
            value = loss(model(images), images)
        else:
            value = model.loss(images)['loss_perceptual']
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
        return losses

    return step


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Compare the training step of AutoLink with a plain one.'
    )
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--keypoints', type=int, default=10)
    parser.add_argument('--side', type=int, default=128, help='pixels')
    parser.add_argument('--vgg-size', type=int, default=224, help='0: own size')
    parser.add_argument('--width', type=int, default=64, help='first level channels')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--variants', nargs='+', default=VARIANTS, choices=VARIANTS)
    args = parser.parse_args(arguments)
    case = (args.batch, args.keypoints, args.side, args.vgg_size, args.width)
    print(
        f'{platform.machine()}, torch {torch.__version__}, {args.threads} thread(s); '
        f'B{args.batch} K{args.keypoints} {args.side} px, VGG at '
        f'{args.vgg_size or args.side} px, median of {args.repeats}'
    )
    print('variant               CPU s  ratio  wall s  extra MiB  loss of each step')
    first = None
    for variant in args.variants:
        cost = measure(prepare, (variant, *case), args.repeats, args.threads)
        first = first or cost.cpu_s
        losses = ' '.join(f'{value:.6f}' for value in cost.result)
        print(
            f'{variant:20s} {cost.cpu_s:6.2f} {first / cost.cpu_s:6.2f} '
            f'{cost.wall_s:7.2f} {cost.extra_mib:10.0f}  {losses}',
            flush=True,
        )


if __name__ == '__main__':
    run_tool(main)
