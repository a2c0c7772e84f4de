# What diversity is for: without it all keypoints fall on one point.
_base_ = ['./fse-light_puppets-64x64.py']
model = dict(losses=dict(diversity=dict(loss_weight=0.0)))
