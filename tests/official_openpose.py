"""Small state dicts with the names of OpenPose and of its ports."""

from itertools import pairwise

import torch

TRUNK = '1_1 1_2 2_1 2_2 3_1 3_2 3_3 3_4 4_1 4_2 4_3_CPM 4_4_CPM'.split()
TRUNK_WIDTHS = (3, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 6, 7)
#: Where the port with numbered layers has the convolutions of its trunk.
TRUNK_PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25)


class State(dict):
    """A state dict of random values, each tensor another."""

    def __init__(self):
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def add(self, name, *shape):
        self[name] = torch.randn(shape, generator=self.generator)

    def conv(self, name, inputs, outputs, kernel, bias=True):
        self.add(f'{name}.weight', outputs, inputs, kernel, kernel)
        if bias:
            self.add(f'{name}.bias', outputs)

    def norm(self, name, channels):
        for kind in ('weight', 'bias', 'running_mean'):
            self.add(f'{name}.{kind}', channels)
        self[f'{name}.running_var'] = torch.rand(channels) + 0.5
        self[f'{name}.num_batches_tracked'] = torch.tensor(7)


def add_trunk(state, prelu=False):
    for name, (inputs, outputs) in zip(TRUNK, pairwise(TRUNK_WIDTHS), strict=True):
        state.conv(f'conv{name}', inputs, outputs, 3)
        if prelu and name in TRUNK[-3:]:
            state.add(f'prelu{name}.weight', outputs)


def two_branch_state(num_stages=3, heatmaps=19, fields=38):
    """Caffe's names; stages 4 wide, the first one's last hidden layer 9."""
    state = State()
    add_trunk(state)
    for branch, maps in ((1, fields), (2, heatmaps)):
        widths = pairwise((7, 4, 4, 4, 9, maps))
        for i, pair in enumerate(widths, 1):
            state.conv(f'conv5_{i}_CPM_L{branch}', *pair, 3 if i < 4 else 1)
        for stage in range(2, num_stages + 1):
            widths = pairwise((fields + heatmaps + 7, *[4] * 6, maps))
            for i, pair in enumerate(widths, 1):
                kernel = 7 if i < 6 else 1
                state.conv(f'Mconv{i}_stage{stage}_L{branch}', *pair, kernel)
    return state


def body25_state(heatmaps=26, fields=52):
    """Caffe's names; 3 and 4 wide, the hidden layers 8 and 9."""
    state = State()
    add_trunk(state, prelu=True)
    plan = [(2, s, fields, 7 + fields * (s > 0)) for s in range(4)]
    plan += [(1, s, heatmaps, 7 + fields + heatmaps * s) for s in range(2)]
    for branch, stage, maps, inputs in plan:
        width, hidden = (4, 9) if stage else (3, 8)
        end = f'stage{stage}_L{branch}'
        for block in range(1, 6):
            for k in range(3):
                state.conv(f'Mconv{block}_{end}_{k}', inputs, width, 3)
                state.add(f'Mprelu{block}_{end}_{k}.weight', width)
                inputs = width
            inputs = 3 * width
        state.conv(f'Mconv6_{end}', inputs, hidden, 1)
        state.add(f'Mprelu6_{end}.weight', hidden)
        state.conv(f'Mconv7_{end}', hidden, maps, 1)
    return state


def lightweight_state(refinements=3):
    """Osokin's names, a quarter of the width; stages 4 wide, hidden layers 6."""
    state = State()
    state.conv('model.0.0', 3, 8, 3, bias=False)
    state.norm('model.0.1', 8)
    widths = (8, 16, 32, 32, 64, 64, *[128] * 6)
    for k, (inputs, outputs) in enumerate(pairwise(widths), 1):
        state.conv(f'model.{k}.0', 1, inputs, 3, bias=False)
        state.norm(f'model.{k}.1', inputs)
        state.conv(f'model.{k}.3', inputs, outputs, 1, bias=False)
        state.norm(f'model.{k}.4', outputs)
    state.conv('cpm.align.0', 128, 4, 1)
    for k in range(3):
        state.conv(f'cpm.trunk.{k}.0', 1, 4, 3, bias=False)
        state.conv(f'cpm.trunk.{k}.2', 4, 4, 1, bias=False)
        state.conv(f'initial_stage.trunk.{k}.0', 4, 4, 3)
    state.conv('cpm.conv.0', 4, 4, 3)
    stages = [('initial_stage', 6)]
    for r in range(refinements):
        for b, inputs in enumerate((61, 4, 4, 4, 4)):
            trunk = f'refinement_stages.{r}.trunk.{b}'
            state.conv(f'{trunk}.initial.0', inputs, 4, 1)
            for k in (0, 1):
                state.conv(f'{trunk}.trunk.{k}.0', 4, 4, 3)
                state.norm(f'{trunk}.trunk.{k}.1', 4)
        stages.append((f'refinement_stages.{r}', 4))
    for stage, hidden in stages:
        for branch, maps in (('heatmaps', 19), ('pafs', 38)):
            state.conv(f'{stage}.{branch}.0.0', 4, hidden, 1)
            state.conv(f'{stage}.{branch}.1.0', hidden, maps, 1)
    return state


def in_modules(state):
    """As the state dict of a port whose modules hold Caffe's names."""
    renamed = {}
    for name, value in state.items():
        branch = '1' if '_L1' in name else '2'
        stage = name.split('_stage')[1][0] if '_stage' in name else '1'
        module = f'model{stage}_{branch}' if '_L' in name else 'model0'
        renamed[f'module.{module}.{name}'] = value
    return renamed


def numbered(state):
    """As the port whose layers have numbers."""
    renamed = {}
    for name, value in state.items():
        layer, kind = name.split('.')
        if '_L' not in layer:
            place = TRUNK_PLACES[TRUNK.index(layer.removeprefix('conv'))]
            renamed[f'model0.{place}.{kind}'] = value
            continue
        branch = layer[-1]
        if layer.startswith('conv5'):
            stage, number = 1, int(layer[6])
        else:
            stage, number = int(layer.split('_stage')[1][0]), int(layer[5])
        renamed[f'model{stage}_{branch}.{2 * (number - 1)}.{kind}'] = value
    return renamed
