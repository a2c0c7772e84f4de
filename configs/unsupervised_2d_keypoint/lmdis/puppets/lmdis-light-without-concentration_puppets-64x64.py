# What concentration is for: without it a keypoint may be spread over the image.
_base_ = ['./lmdis-light_puppets-64x64.py']
model = dict(losses=dict(concentration=dict(loss_weight=0.0)))
