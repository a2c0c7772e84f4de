# What separation is for: without it keypoints fall together.
_base_ = ['./lmdis-light_puppets-64x64.py']
model = dict(losses=dict(separation=dict(loss_weight=0.0)))
