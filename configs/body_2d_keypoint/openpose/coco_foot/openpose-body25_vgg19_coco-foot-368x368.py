# OpenPose's BODY_25: COCO's 17 keypoints, 6 of the feet, the neck and the middle hip.
_base_ = [
    '../_base_/vgg19_fields_first.py',
    '../../../_base_/datasets/coco_feet_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec))
