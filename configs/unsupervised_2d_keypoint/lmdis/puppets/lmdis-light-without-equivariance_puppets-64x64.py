# What equivariance is for: without it keypoints keep apart, but follow nothing.
_base_ = ['./lmdis-light_puppets-64x64.py']
model = dict(losses=dict(equivariance=dict(loss_weight=0.0)))
