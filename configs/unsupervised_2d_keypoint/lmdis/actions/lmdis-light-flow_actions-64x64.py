# The same with another frame of the clip as the second view, optical flow as the warp.
num_keypoints = 10
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../_base_/flow_64x64.py',
    '../../../_base_/datasets/actions.py',
]
slim = dict(separation=dict(bandwidth=0.06))
model = dict(head=dict(num_keypoints=num_keypoints), losses=slim, **_base_.flow)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(images, pipeline=_base_.flow_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=images)
