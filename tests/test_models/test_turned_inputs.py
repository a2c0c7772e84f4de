"""Predictions in crops that are turned in the image, and views that are mirrored."""

import numpy as np
import pytest
import test_lmdis
import test_unsupervised
import torch
from mmengine.structures import InstanceData

from mmkp.ops.turned_crop import TurnedCrop

SIZE = (64, 64)


def predicted(model, images, **meta):
    batch = test_unsupervised.samples(len(images), SIZE)
    for sample in batch:
        sample.set_metainfo(meta)
    with torch.no_grad():
        return model.eval().predict(images, batch)


@pytest.fixture
def images():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_predictions_are_turned_back_into_the_image(images):
    cfg = dict(output_heatmaps=True, untrained_control=True)
    model = test_unsupervised.build(test_cfg=cfg)
    model.with_untrained_control = True
    plain = predicted(model, images)
    turned = predicted(model, images, input_rotation=90.0)
    for before, after in zip(plain, turned, strict=True):
        crop = TurnedCrop.of_sample(after.metainfo)
        assert crop.degrees == 90
        for name in ('keypoints', 'untrained_keypoints'):
            points = before.pred_instances[name]
            upright = TurnedCrop(crop.center, crop.scale, crop.size)
            expected = crop.to_image(upright.to_crop(points))
            np.testing.assert_allclose(after.pred_instances[name], expected, atol=1e-3)
        maps = before.pred_fields.heatmaps.rot90(-1, (1, 2))  # clockwise
        torch.testing.assert_close(after.pred_fields.heatmaps, maps, atol=1e-4, rtol=0)


def test_half_turned_inputs_give_the_same_places(images):
    model = test_unsupervised.build(half_turn=dict(cells=8))
    model.half_turn.mean.copy_(torch.rand(3, 8, 8) - 0.5)
    plain = predicted(model, images)
    flipped = predicted(model, images.flip(-2, -1))
    for before, after in zip(plain, flipped, strict=True):
        assert before.half_turned != after.half_turned
        crop = TurnedCrop.of_sample(after.metainfo)
        upright = TurnedCrop(crop.center, crop.scale, crop.size)
        fractions = upright.to_crop(before.pred_instances.keypoints)
        middle = TurnedCrop(crop.center, crop.scale, crop.size, 180.0)
        np.testing.assert_allclose(
            after.pred_instances.keypoints, middle.to_image(fractions), atol=1e-3
        )


def test_training_settles_images_and_learns_their_mean(images):
    model = test_unsupervised.build(half_turn=dict(cells=8)).train()
    model.loss(images)
    assert model.half_turn.mean.abs().sum() > 0
    assert 'half_turn.mean' in model.state_dict()
    assert 'half_turn.window' not in model.state_dict()


def test_labels_do_not_turn_with_their_images(images):
    model = test_unsupervised.build(half_turn=dict(cells=8)).train()
    batch = test_unsupervised.samples(2, SIZE)
    batch[1].gt_instance_labels = InstanceData(keypoint_labels=torch.zeros(1, 5, 2))
    with pytest.raises(ValueError, match='half_turn turns images, not their annotated'):
        model.loss(images, batch)


FLIP = dict(type='FlipConsistencyLoss', num_keypoints=5, pairs=[(0, 1)])


def test_mirrored_keypoints_are_made_where_a_loss_asks(images):
    model = test_unsupervised.build(losses=dict(flip=FLIP)).train()
    outputs = model.with_mirrored(model.outputs_for_losses(images))
    found, _ = model.detect(outputs['images'].flip(-1))
    expected = torch.stack((63 - found[..., 0], found[..., 1]), -1)
    torch.testing.assert_close(outputs['mirrored_keypoints'], expected)
    loss = model.loss(images)['loss_flip']
    loss.backward()
    assert loss > 0
    assert all(p.grad is not None for p in model.backbone.parameters())
    plain = test_unsupervised.build()
    assert 'mirrored_keypoints' not in plain.with_mirrored(dict(images=images))


def test_lmdis_mirrors_its_padded_images(images):
    flip = dict(FLIP, num_keypoints=test_lmdis.K, unpaired=True)
    model = test_lmdis.build(losses=dict(flip=flip)).eval()
    outputs = model.with_mirrored(model.outputs_for_losses(images))
    width = 64 + 2 * test_lmdis.MARGIN
    assert outputs['images'].shape[-1] == width
    # The padding is as wide on both sides: what is found does not depend on it.
    found, _ = model.detect(images.flip(-1))
    back = torch.stack((63 - found[..., 0], found[..., 1]), -1) + test_lmdis.MARGIN
    torch.testing.assert_close(outputs['mirrored_keypoints'], back, atol=1e-3, rtol=0)
