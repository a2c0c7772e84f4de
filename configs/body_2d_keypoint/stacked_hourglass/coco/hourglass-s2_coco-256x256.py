# Two stacks and COCO's 17 keypoints.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/coco_256x256.py']
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=17),
    head=dict(num_stacks=2, num_keypoints=17, decoder=_base_.codec),
)
