# AFLW, 10 keypoints; published after training on CelebA, whose checkpoint is given by
# load_from.
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../../../_base_/datasets/aflw_146x146.py',
]
model = dict(losses=dict(separation=dict(loss_weight=16.0, bandwidth=0.06)))
# The crop of the face, as MMPose's files give it, with a little room.
faces = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownResize', input_size=(80, 80)),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=faces))
val_dataloader = dict(dataset=dict(pipeline=faces))
test_dataloader = val_dataloader
val_evaluator = dict(variant='lmdis')
test_evaluator = val_evaluator
# As loss weights go on from where CelebA's began.
custom_hooks = []
