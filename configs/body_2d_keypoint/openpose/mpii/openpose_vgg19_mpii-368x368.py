# OpenPose's faster MPI network, of four stages.
_base_ = [
    '../_base_/vgg19_two_branch.py',
    '../../../_base_/datasets/mpii_people_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec, stages=dict(num_stages=4)))
