# What reconstruction is for: without it nothing asks keypoints to tell of the image.
_base_ = ['./lmdis-light_puppets-64x64.py']
model = dict(losses=dict(reconstruction=dict(loss_weight=0.0)))
