# 10 keypoints of plants, which are slim and have any number of leaves.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/seedlings.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
pipeline = [*_base_.pipeline[:2], _base_.letterbox, _base_.pipeline[3]]
images = dict(num_keypoints=num_keypoints, pipeline=pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
