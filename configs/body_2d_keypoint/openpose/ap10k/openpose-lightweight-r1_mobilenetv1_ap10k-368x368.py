# Lightweight OpenPose on the 17 keypoints of AP-10K's animals.
_base_ = [
    '../_base_/lightweight.py',
    '../../../_base_/datasets/ap10k_animals_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec))
train_dataloader = dict(batch_size=80)
