import pytest
import torch
from torch import nn

from mmkp.ops.batch_norm import BatchNorm2d


def layers(channels=4):
    torch.manual_seed(0)
    ours, theirs = BatchNorm2d(channels), nn.BatchNorm2d(channels)
    with torch.no_grad():
        ours.weight.uniform_(0.5, 1.5)
        ours.bias.uniform_(-1, 1)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs.double()


def pictures(shape=(6, 4, 50, 41)):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 2 + 3
    return x.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('momentum', [0.1, None])
def test_equals_float64(momentum):
    ours, theirs = layers()
    ours.momentum = theirs.momentum = momentum
    for step in range(2):
        x = pictures() + step
        a, b = x.clone().requires_grad_(), x.double().requires_grad_()
        found, expected = ours(a), theirs(b)
        assert found.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=3e-6)
        upstream = pictures().double() * b.detach()
        found.backward(upstream.float())
        expected.backward(upstream)
        for mine, reference in (
            (a.grad, b.grad),
            (ours.weight.grad, theirs.weight.grad),
            (ours.bias.grad, theirs.bias.grad),
        ):
            scale = reference.abs().max().item()
            torch.testing.assert_close(
                mine.double(), reference, rtol=0, atol=2e-5 * scale
            )
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(
            ours.state_dict()[name].double(), value.double(), rtol=1e-6, atol=1e-6
        )


def test_more_accurate_than_torch_in_channels_last():
    x = pictures((32, 4, 128, 128))
    exact = layers()[1](x.double())
    error = (layers()[0](x).double() - exact).abs().max()
    assert error < 3e-6
    theirs = layers()[1].float()
    assert (theirs(x).double() - exact).abs().max() > 5 * error


@pytest.mark.parametrize(
    'change',
    [
        lambda layer, x: (layer.eval(), x),
        lambda layer, x: (layer, x.contiguous()),
        lambda layer, x: (layer, x[:, :, :4, :4]),
        lambda layer, x: (layer.double(), x.double()),
    ],
)
def test_is_torchs_everywhere_else(change):
    ours, x = change(layers()[0], pictures())
    theirs = nn.BatchNorm2d(4).to(x.dtype).train(ours.training)
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours(x), theirs(x))


def test_becomes_sync_batch_norm():
    model = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(layers()[0]))
    assert type(model[0]) is nn.SyncBatchNorm
