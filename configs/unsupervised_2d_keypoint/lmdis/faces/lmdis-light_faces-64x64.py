# 10 keypoints of face crops as they are, trained on and scored at all angles.
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/faces_64x64.py',
]
train_cfg = dict(max_iters=3000, val_interval=1000)
