"""Which way objects lie is settled by what most of them look like."""

import torch

from mmkp.models.layers.half_turn import HalfTurn


def objects(number, seed=0, share=0.2):
    """Bodies with a head that move a little, a share of them the other way round."""
    draw = torch.Generator().manual_seed(seed)
    line = torch.arange(32.0) - 15.5
    shift = 0.5 * torch.randn(number, 2, 1, 1, generator=draw)
    x, y = line + shift[:, 0], line[:, None] + shift[:, 1]
    body = (-(x**2) / 18 - (y - 2) ** 2 / 50).exp()
    head = (-(x**2) / 8 - (y + 10) ** 2 / 8).exp()
    bright = 0.5 * body + head
    images = bright[:, None] * torch.tensor([1.0, 0.8, 0.5])[:, None, None]
    turned = torch.rand(number, generator=draw) < share
    images = torch.where(turned[:, None, None, None], images.flip(-2, -1), images)
    return images + 0.05 * torch.rand(images.shape, generator=draw), turned


def learned():
    half_turn = HalfTurn(cells=8, momentum=0.2)
    for step in range(30):
        half_turn(objects(16, step)[0])
    return half_turn


def test_nothing_is_turned_before_anything_was_seen():
    images, _ = objects(8)
    settled, turned = HalfTurn().eval()(images)
    assert not turned.any() and torch.equal(settled, images)


def test_those_that_differ_from_most_are_turned_exactly():
    half_turn = learned().eval()
    images, wrong = objects(64, 100, share=0.5)
    before = half_turn.mean.clone()
    settled, turned = half_turn(images)
    assert 20 < wrong.sum() < 44 and torch.equal(turned, wrong)
    assert torch.equal(settled[wrong], images[wrong].flip(-2, -1))
    assert torch.equal(settled[~wrong], images[~wrong])
    assert torch.equal(half_turn.mean, before)
    again = HalfTurn(cells=8).eval()
    again.load_state_dict(half_turn.state_dict())
    assert torch.equal(again(images)[1], wrong)


def test_images_keep_their_type_and_the_mean_its_precision():
    half_turn = learned()
    images, _ = objects(8, 5)
    settled, turned = half_turn(images.bfloat16())
    assert settled.dtype == torch.bfloat16 and half_turn.mean.dtype == torch.float32
    assert torch.equal(turned, half_turn.eval()(images)[1])
