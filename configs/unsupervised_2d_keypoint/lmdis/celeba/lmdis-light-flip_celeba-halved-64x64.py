# The light network, whose pairs of keypoints change places in mirrored faces.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/celeba_halved.py',
]
flip = dict(type='FlipConsistencyLoss', loss_weight=1e4, num_keypoints=num_keypoints)
model = dict(head=dict(num_keypoints=num_keypoints), losses=dict(flip=flip))
pipeline = [_base_.pipeline[0], _base_.crop, *_base_.pipeline[2:]]
images = dict(num_keypoints=num_keypoints, pipeline=pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
train_cfg = dict(max_iters=3000, val_interval=1000)
