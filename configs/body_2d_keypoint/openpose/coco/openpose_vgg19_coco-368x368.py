# OpenPose's first network with COCO's 17 keypoints and the neck.
_base_ = [
    '../_base_/vgg19_two_branch.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec))
