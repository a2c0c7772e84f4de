# The paper's network: eight stacks, Gaussians of one cell as the paper says, joints
# without label left out of the loss (the author's code draws and trains otherwise, see
# hourglass-s8_torch-sigma).
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_256x256.py']
model = dict(head=dict(decoder=_base_.codec))
