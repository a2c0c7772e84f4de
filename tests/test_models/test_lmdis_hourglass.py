"""The light hourglass of which LMDIS is made."""

import pytest
import torch
from mmpose.registry import MODELS


def light(encoder=((6,), (8,)), decoder=((8,), (8,), (6,)), **changes):
    config = dict(
        type='LMDISHourglass',
        encoder=encoder,
        bottleneck=(8,),
        decoder=decoder,
        skip_convolutions=1,
        norm_momentum=0.1,
    )
    return {**config, **changes}


@pytest.mark.parametrize('size', [(32, 48), (33, 45), (5, 7)])
@pytest.mark.parametrize('skip_convolutions', [0, 2])
def test_any_size_comes_back_whole(size, skip_convolutions):
    widths = dict(encoder=((8,), (8,)), decoder=((8,), (8,), (8,)))
    network = MODELS.build(light(**widths, skip_convolutions=skip_convolutions))
    (maps,) = network(torch.rand(2, 3, *size))
    assert maps.shape == (2, 8, *size)
    assert network.out_channels == 8


def test_fewer_levels_and_a_stride_give_smaller_maps():
    network = MODELS.build(light(decoder=((8,), (5,)), stem_stride=2))
    (maps,) = network(torch.rand(2, 3, 32, 48))
    assert maps.shape == (2, 5, 8, 12)


def test_the_published_detector_has_as_many_weights():
    network = MODELS.build(dict(type='LMDISHourglass'))
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    # Six of the encoder, two and two at the bottleneck, five, three skips of three.
    assert len(layers) == 6 + 2 + 2 + 5 + 9
    assert sum(layer.weight.numel() for layer in layers) == 9 * (
        (3 * 32 + 32 * 32 + 32 * 64 + 3 * 64 * 64)
        + 4 * 64 * 64
        + (3 * 64 * 64 + 64 * 32 + 32 * 32)
        + 3 * (2 * 64 * 64 + 32 * 32)
    )


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(decoder=((8,),) * 4), 'decoder has 4 levels for 2'),
        (dict(encoder=((), (8,))), 'encoder needs a convolution in each level'),
        (dict(stem_stride=3), 'stem_stride must be one of'),
        (dict(skip_convolutions=-1), 'skip_convolutions must be at least 0'),
        (dict(bottleneck=(0,)), 'widths must be whole numbers from 1'),
        (dict(skip_convolutions=0), 'cannot be added to 8'),
        (
            dict(decoder=((8,), ()), final_activation=False),
            'needs a convolution in the last decoder level',
        ),
    ],
)
def test_refuses_what_cannot_be_built(changes, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(light(**changes))
