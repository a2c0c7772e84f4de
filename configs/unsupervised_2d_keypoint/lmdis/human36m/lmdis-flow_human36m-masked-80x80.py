# Optical flow to another frame of the clip as the second view, as in the paper. Needs
# clips of consecutive frames, one folder each, which the simplified data set has not.
num_keypoints = 16
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../_base_/flow_80x80.py',
    '../../../_base_/datasets/human36m_clips.py',
]
model = dict(head=dict(num_keypoints=num_keypoints), **_base_.flow)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.whole_image)
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(images, pipeline=_base_.flow_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
