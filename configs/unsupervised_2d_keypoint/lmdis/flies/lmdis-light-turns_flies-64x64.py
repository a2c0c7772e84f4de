# 10 keypoints of flies under turns of any angle, errors over the length of the body.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/flies.py',
]
turns = dict(rotation_std=100.0)
model = dict(head=dict(num_keypoints=num_keypoints), view_transform=turns)
pipeline = [_base_.pipeline[0], _base_.crop, _base_.letterbox, _base_.pipeline[3]]
images = dict(num_keypoints=num_keypoints, pipeline=pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(protocol_options=_base_.body_length)
