# Lightweight OpenPose on the 14 keypoints of CrowdPose.
_base_ = [
    '../_base_/lightweight.py',
    '../../../_base_/datasets/crowdpose_people_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec))
train_dataloader = dict(batch_size=80)
