# Four stacks instead of eight.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_256x256.py']
model = dict(backbone=dict(num_stacks=4), head=dict(num_stacks=4, decoder=_base_.codec))
