# 10 keypoints of flies in their own frame, errors over the length of the body.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/pipelines/object_frames_64x64.py',
    '../../../_base_/datasets/flies.py',
]
model = dict(head=dict(num_keypoints=num_keypoints), half_turn=dict())
images = dict(num_keypoints=num_keypoints, pipeline=_base_.framed)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(protocol_options=_base_.body_length)
