"""The Stacked Hourglass: sizes, feedback, recomputation, and use with other models."""

import pytest
import torch
from mmpose.registry import MODELS
from test_unsupervised import autolink_config
from torch import nn

import mmkp  # noqa: F401  registers the network
from mmkp.models.backbones.stacked_hourglass import StackedHourglass

SMALL = dict(num_stacks=2, num_keypoints=5, order=2, channels=8, stem_channels=4)


def small(seed=0, **changes):
    torch.manual_seed(seed)
    return StackedHourglass(**{**SMALL, **changes})


def images(*size, seed=0):
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


def on_meta(**arguments):
    """A network without values, whose sizes are known all the same."""
    with torch.device('meta'):
        return StackedHourglass(**arguments)


def multiply_adds(network, height, width):
    """Of all convolutions, for one image; additions of biases do not count."""
    counts = []

    def count(convolution, _inputs, output):
        kernel = convolution.weight[0].numel()
        counts.append(output.numel() * kernel)

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    network.eval()(torch.empty(1, 3, height, width, device='meta'))
    return sum(counts)


@pytest.mark.parametrize(
    ('stem', 'num_stacks', 'parameters', 'giga_multiply_adds'),
    [
        ('newell', 1, 3_426_448, 5.15),
        ('newell', 2, 6_570_400, 8.33),
        ('newell', 4, 12_858_304, 14.70),
        ('newell', 8, 25_434_112, 27.44),
        ('bearpaw', 1, 3_586_960, 5.80),
        ('bearpaw', 2, 6_730_912, 8.99),
        ('bearpaw', 4, 13_018_816, 15.36),
        ('bearpaw', 8, 25_594_624, 28.09),
    ],
)
def test_parameters_and_multiply_adds(stem, num_stacks, parameters, giga_multiply_adds):
    network = on_meta(stem=stem, num_stacks=num_stacks)
    assert sum(p.numel() for p in network.parameters()) == parameters
    found = multiply_adds(network, 256, 256) / 1e9
    assert found == pytest.approx(giga_multiply_adds, abs=0.005)


def test_several_residuals_stand_everywhere_but_in_the_stem():
    one, two = on_meta(num_stacks=1), on_meta(num_stacks=1, num_residuals=2)
    added = sum(p.numel() for p in two.parameters()) - 3_426_448
    residual = one.stacks[0].residuals[0]
    # Up, down and out at four levels, one innermost, one behind the hourglass.
    assert added == 14 * sum(p.numel() for p in residual.parameters())


@pytest.mark.parametrize(
    ('size', 'maps'),
    [
        ((100, 70), (25, 18)),
        ((33, 47), (9, 12)),
        ((8, 8), (2, 2)),
        ((256, 192), (64, 48)),
        ((1, 1), (1, 1)),
    ],
)
def test_any_size_of_the_image(size, maps):
    network = small(order=4).eval()
    with torch.no_grad():
        outputs = network(images(2, 3, *size))
    assert [tuple(o.shape) for o in outputs] == [(2, 5, *maps)] * 2 + [
        (2, 8, *maps)
    ] * 2
    assert all(torch.isfinite(o).all() for o in outputs)


@pytest.mark.parametrize(('stride', 'maps'), [(1, (40, 24)), (2, (20, 12))])
def test_stride_of_the_stem(stride, maps):
    outputs = small(stem_stride=stride)(images(1, 3, 40, 24))
    assert all(o.shape[-2:] == maps for o in outputs)


def test_odd_sizes_are_doubled_and_cut():
    """A cell of the coarse map covers the same two cells whatever the size."""
    network = small(order=1, num_stacks=1, stem_stride=1).eval()
    hourglass = network.stacks[0].hourglass
    coarse = images(1, 8, 4, 3)
    hourglass.out = _Constant(coarse)
    hourglass.up = _Constant(torch.zeros(1, 8, 7, 5))
    found = hourglass(images(1, 8, 7, 5))
    doubled = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(found, doubled[..., :7, :5], rtol=0, atol=0)


class _Constant(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.maps = maps

    def forward(self, _inputs):
        return self.maps


def test_heatmap_feedback_changes_later_stacks_only():
    network = small(num_stacks=3).eval()
    pixels = images(1, 3, 32, 32)
    with torch.no_grad():
        before = network(pixels)
        feedback = network.stacks[0].heatmap_feedback
        feedback.weight.zero_()
        feedback.bias.zero_()
        after = network(pixels)
    equal = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert equal == [True, False, False] * 2


def gradient_of_first_heatmaps(network):
    """How the loss of the second stack reaches the heatmap layer of the first."""
    outputs = network(images(2, 3, 32, 32))
    outputs[1].square().mean().backward()
    return network.stacks[0].heatmap_convolution.weight.grad


def test_the_next_loss_reaches_the_heatmaps_through_the_feedback():
    gradient = gradient_of_first_heatmaps(small())
    assert gradient.abs().sum() > 1e-6
    network = small(heatmap_feedback=False)
    assert network.stacks[0].heatmap_feedback is None
    assert gradient_of_first_heatmaps(network) is None
    assert network.stacks[0].feature_feedback.weight.grad.abs().sum() > 1e-6


def test_without_feedback_a_stack_knows_nothing_of_the_one_before():
    network = small(feature_feedback=False, heatmap_feedback=False)
    assert network.stacks[0].feature_feedback is None
    network(images(2, 3, 32, 32))[1].square().mean().backward()
    assert all(p.grad is None for p in network.stacks[0].parameters())
    assert network.stem.convolution.weight.grad.abs().sum() > 1e-6


@pytest.mark.parametrize('feedback', ['heatmap_feedback', 'feature_feedback'])
def test_the_next_loss_reaches_the_image_through_the_feedback(feedback):
    def gradient(detaches):
        network = small()
        if detaches:
            layer = getattr(network.stacks[0], feedback)
            layer.register_forward_hook(lambda _m, _i, output: output.detach())
        network(images(2, 3, 32, 32))[1].square().mean().backward()
        return network.stem.convolution.weight.grad

    whole, direct = gradient(False), gradient(True)
    assert (whole - direct).norm() > 1e-3 * whole.norm()


@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('checkpointing', ['residual', 'stack'])
@pytest.mark.parametrize('num_keypoints', [5, None])
def test_recomputing_changes_nothing(checkpointing, num_keypoints, channels_last):
    changes = dict(num_keypoints=num_keypoints, channels_last=channels_last)
    networks = [small(**changes), small(**changes, checkpointing=checkpointing)]
    losses = []
    for network in networks:
        for step in range(2):
            outputs = network(images(2, 3, 48, 40, seed=step))
            loss = sum(maps.square().mean() for maps in outputs)
            loss.backward()
        losses.append(loss)
    plain, recomputed = networks
    assert torch.equal(*losses)
    for (name, a), (_, b) in zip(
        plain.named_parameters(), recomputed.named_parameters(), strict=True
    ):
        assert (a.grad is None) == (b.grad is None), name
        assert a.grad is None or torch.equal(a.grad, b.grad), name
    ours, theirs = plain.state_dict(), recomputed.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert recomputed.stem.norm.num_batches_tracked == 2


def saved_bytes(network):
    """What the backward pass needs besides the parameters."""
    own = {p.data_ptr() for p in network.parameters()}
    kept = {}

    def pack(tensor):
        if tensor.data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(images(1, 3, 64, 64))
    return sum(t.untyped_storage().nbytes() for t in kept.values())


def test_recomputing_saves_memory():
    plain, residual, stack = (
        saved_bytes(small(checkpointing=kind)) for kind in ('none', 'residual', 'stack')
    )
    assert stack < residual < plain
    assert stack < plain / 4


def test_evaluation_and_frozen_normalisation_are_not_disturbed():
    network = small(checkpointing='stack').eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pixels = images(1, 3, 32, 32).requires_grad_()
    network(pixels)[-1].sum().backward()
    assert pixels.grad.abs().sum() > 0
    assert all(torch.equal(before[n], v) for n, v in network.state_dict().items())
    assert all(
        module.track_running_stats
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    )


def test_without_heatmaps_there_are_features_only():
    network = small(num_keypoints=None)
    outputs = network(images(2, 3, 32, 32))
    assert [tuple(o.shape) for o in outputs] == [(2, 8, 8, 8)] * 2
    assert not [name for name in network.state_dict() if 'heatmap' in name]
    outputs[1].square().mean().backward()
    feedback = network.stacks[0].feature_feedback
    assert feedback.weight.grad.abs().sum() > 1e-6


def test_the_last_stack_feeds_nothing_back():
    last = small().stacks[-1]
    assert last.feature_feedback is None and last.heatmap_feedback is None


def test_channels_last_computes_the_same():
    plain, last = small(channels_last=False), small(channels_last=True)
    assert last.stacks[0].linear.convolution.weight.is_contiguous(
        memory_format=torch.channels_last
    )
    pixels = images(2, 3, 64, 48)
    for found, expected in zip(last(pixels), plain(pixels), strict=True):
        assert found.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(num_stacks=0), 'num_stacks must be a whole number from 1, got 0'),
        (dict(num_keypoints=0), 'num_keypoints must be .* got 0'),
        (dict(order=0), 'order must be .* got 0'),
        (dict(num_residuals=1.5), 'num_residuals must be .* got 1.5'),
        (dict(in_channels=0), 'in_channels must be .* got 0'),
        (dict(channels=7), 'channels must be an even number from 2.*got 7'),
        (dict(stem_channels=5), 'stem_channels must be an even number from 2.*got 5'),
        (dict(stem='resnet'), "stem must be one of .*'newell', 'bearpaw'.*'resnet'"),
        (dict(stem_stride=3), 'stem_stride must be one of .* got 3'),
        (dict(checkpointing='all'), "checkpointing must be one of .* got 'all'"),
    ],
)
def test_unusable_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        on_meta(**{**SMALL, **change})


def test_light_hourglass_finds_keypoints_without_labels():
    hourglass = dict(
        type='StackedHourglass', **{**SMALL, 'num_keypoints': None}, stem_stride=2
    )
    head = {**autolink_config()['head'], 'in_channels': 8}
    torch.manual_seed(0)
    model = MODELS.build(autolink_config(backbone=hourglass, head=head))
    model.init_weights()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = {n: p.detach().clone() for n, p in model.backbone.named_parameters()}
    pixels = images(2, 3, 64, 64) * 2 - 1
    outputs = model.reconstruct(pixels)
    assert outputs['reconstruction'].shape == pixels.shape
    loss = (outputs['reconstruction'] - pixels).square().mean()
    losses = model.forward(pixels, None, mode='loss')
    (loss + sum(losses.values())).backward()
    optimizer.step()
    for name in ('stem.convolution.weight', 'stacks.0.feature_feedback.weight'):
        after = dict(model.backbone.named_parameters())[name]
        assert not torch.equal(after, before[name]), name
