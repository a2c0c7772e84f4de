# 10 keypoints that cover flies, each in its own frame, errors over the body's length.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_guarded_64x64.py',
    '../../../_base_/pipelines/object_frames_64x64.py',
    '../../../_base_/datasets/flies.py',
]
views = dict(rotation_std=10.0)
model = dict(
    head=dict(num_keypoints=num_keypoints), view_transform=views, half_turn=dict()
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.framed)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(protocol_options=_base_.body_length)
