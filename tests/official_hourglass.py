"""Small state dicts with the names that published hourglass networks use.

Also the files that hold them, and what the networks compute, straight from the names.
"""

import torch
from official_openpose import State
from torch.nn import functional as F

STEM = 4
WIDTH = 6
HEATMAPS = 5


def _add_residual(state, names, place, inputs, outputs, dead_skip=False):
    inner = outputs // 2
    state.norm(f'{place}.{names["norm"].format(1)}', inputs)
    state.conv(f'{place}.{names["convolution"].format(1)}', inputs, inner, 1)
    state.norm(f'{place}.{names["norm"].format(2)}', inner)
    state.conv(f'{place}.{names["convolution"].format(2)}', inner, inner, 3)
    state.norm(f'{place}.{names["norm"].format(3)}', inner)
    state.conv(f'{place}.{names["convolution"].format(3)}', inner, outputs, 1)
    if inputs != outputs or dead_skip:
        state.conv(f'{place}.{names["skip"]}', inputs, outputs, 1)


_PRINCETON = dict(norm='bn{}', convolution='conv{}.conv', skip='skip_layer.conv')
_BEARPAW = dict(norm='bn{}', convolution='conv{}', skip='downsample.0')


def author_state(num_stacks=2, order=2, num_residuals=1, dead_skips=False):
    """Names of the author's network; with ``dead_skips`` those of Princeton's."""
    state = State()

    def residual(place, inputs=WIDTH, outputs=WIDTH):
        _add_residual(state, _PRINCETON, place, inputs, outputs, dead_skips)

    def residuals(place):
        for repeat in range(num_residuals):
            residual(place if num_residuals == 1 else f'{place}.{repeat}')

    def hourglass(place, order):
        residuals(f'{place}.up1')
        residuals(f'{place}.low1')
        if order > 1:
            hourglass(f'{place}.low2', order - 1)
        else:
            residuals(f'{place}.low2')
        residuals(f'{place}.low3')

    state.conv('pre.0.conv', 3, STEM, 7)
    state.norm('pre.0.bn', STEM)
    residual('pre.1', STEM, 2 * STEM)
    residual('pre.3', 2 * STEM, 2 * STEM)
    residual('pre.4', 2 * STEM, WIDTH)
    for stack in range(num_stacks):
        hourglass(f'hgs.{stack}.0', order)
    for stack in range(num_stacks):
        residuals(f'features.{stack}.0')
        state.conv(f'features.{stack}.1.conv', WIDTH, WIDTH, 1)
        state.norm(f'features.{stack}.1.bn', WIDTH)
        state.conv(f'outs.{stack}.conv', WIDTH, HEATMAPS, 1)
        if stack + 1 < num_stacks:
            state.conv(f'merge_features.{stack}.conv.conv', WIDTH, WIDTH, 1)
            state.conv(f'merge_preds.{stack}.conv.conv', HEATMAPS, WIDTH, 1)
    return state


def princeton_state(**sizes):
    return author_state(**sizes, dead_skips=True)


def bearpaw_state(num_stacks=2, order=2, num_residuals=1):
    state = State()

    def residual(place, inputs=WIDTH, outputs=WIDTH):
        _add_residual(state, _BEARPAW, place, inputs, outputs)

    state.conv('conv1', 3, STEM, 7)
    state.norm('bn1', STEM)
    residual('layer1.0', STEM, 2 * STEM)
    residual('layer2.0', 2 * STEM, 4 * STEM)
    residual('layer3.0', 4 * STEM, WIDTH)
    for stack in range(num_stacks):
        for depth in range(order):
            for branch in range(4 if depth == 0 else 3):
                for repeat in range(num_residuals):
                    residual(f'hg.{stack}.hg.{depth}.{branch}.{repeat}')
        for repeat in range(num_residuals):
            residual(f'res.{stack}.{repeat}')
        state.conv(f'fc.{stack}.0', WIDTH, WIDTH, 1)
        state.norm(f'fc.{stack}.1', WIDTH)
        state.conv(f'score.{stack}', WIDTH, HEATMAPS, 1)
        if stack + 1 < num_stacks:
            state.conv(f'fc_.{stack}', WIDTH, WIDTH, 1)
            state.conv(f'score_.{stack}', HEATMAPS, WIDTH, 1)
    return state


def princeton_file(state):
    """As Princeton's training writes it."""
    return {
        'state_dict': {f'model.module.{k}': v for k, v in state.items()},
        'optimizer': {'state': {}, 'param_groups': [{'lr': 1e-3, 'params': [0, 1]}]},
        'epoch': 12,
    }


def bearpaw_file(state, best_acc=0.5):
    """As bearpaw's training writes it."""
    return {
        'epoch': 90,
        'arch': 'hg',
        'state_dict': {f'module.{k}': v for k, v in state.items()},
        'best_acc': best_acc,
        'optimizer': {
            'state': {0: {'step': 3, 'square_avg': torch.ones(2)}},
            'param_groups': [{'lr': 2.5e-4, 'alpha': 0.99, 'params': [0]}],
        },
    }


def _conv(state, name, x, **options):
    weight = state[f'{name}.weight']
    padding = weight.shape[-1] // 2
    return F.conv2d(x, weight, state[f'{name}.bias'], padding=padding, **options)


def _norm_relu(state, name, x):
    kinds = ('running_mean', 'running_var', 'weight', 'bias')
    return F.batch_norm(x, *(state[f'{name}.{kind}'] for kind in kinds)).relu()


def _residual(state, place, x, convolution, skip):
    main = x
    for i in (1, 2, 3):
        main = _norm_relu(state, f'{place}.bn{i}', main)
        main = _conv(state, f'{place}.{convolution.format(i)}', main)
    widens = main.shape[1] != x.shape[1]
    return main + (_conv(state, f'{place}.{skip}', x) if widens else x)


def author_maps(state, image, num_stacks):
    """The network straight from the author's names, of order 2."""

    def run(place, x):
        """The residuals at a place: one, or those with a number."""
        names = ('conv{}.conv', 'skip_layer.conv')
        if f'{place}.bn1.weight' in state:
            return _residual(state, place, x, *names)
        for repeat in range(2):
            x = _residual(state, f'{place}.{repeat}', x, *names)
        return x

    def hourglass(place, order, x):
        low = run(f'{place}.low1', F.max_pool2d(x, 2))
        inner = f'{place}.low2'
        low = hourglass(inner, order - 1, low) if order > 1 else run(inner, low)
        return run(f'{place}.up1', x) + F.interpolate(
            run(f'{place}.low3', low), scale_factor=2
        )

    x = _norm_relu(state, 'pre.0.bn', _conv(state, 'pre.0.conv', image, stride=2))
    x = run('pre.4', run('pre.3', F.max_pool2d(run('pre.1', x), 2)))
    heatmaps = []
    for i in range(num_stacks):
        y = run(f'features.{i}.0', hourglass(f'hgs.{i}.0', 2, x))
        y = _norm_relu(
            state, f'features.{i}.1.bn', _conv(state, f'features.{i}.1.conv', y)
        )
        heatmaps.append(_conv(state, f'outs.{i}.conv', y))
        if i + 1 < num_stacks:
            x = x + _conv(state, f'merge_features.{i}.conv.conv', y)
            x = x + _conv(state, f'merge_preds.{i}.conv.conv', heatmaps[-1])
    return heatmaps


def bearpaw_maps(state, image, num_stacks, num_residuals):
    """The network straight from bearpaw's names, of order 2."""

    def run(place, x, number=num_residuals):
        for repeat in range(number):
            x = _residual(state, f'{place}.{repeat}', x, 'conv{}', 'downsample.0')
        return x

    def hourglass(place, depth, x):
        low = run(f'{place}.{depth}.1', F.max_pool2d(x, 2))
        if depth > 0:
            low = hourglass(place, depth - 1, low)
        else:
            low = run(f'{place}.0.3', low)
        low = run(f'{place}.{depth}.2', low)
        return run(f'{place}.{depth}.0', x) + F.interpolate(low, scale_factor=2)

    x = _norm_relu(state, 'bn1', _conv(state, 'conv1', image, stride=2))
    x = F.max_pool2d(run('layer1', x, 1), 2)
    x = run('layer3', run('layer2', x, 1), 1)
    heatmaps = []
    for i in range(num_stacks):
        y = run(f'res.{i}', hourglass(f'hg.{i}.hg', 1, x))
        y = _norm_relu(state, f'fc.{i}.1', _conv(state, f'fc.{i}.0', y))
        heatmaps.append(_conv(state, f'score.{i}', y))
        if i + 1 < num_stacks:
            x = (
                x
                + _conv(state, f'fc_.{i}', y)
                + _conv(state, f'score_.{i}', heatmaps[-1])
            )
    return heatmaps
