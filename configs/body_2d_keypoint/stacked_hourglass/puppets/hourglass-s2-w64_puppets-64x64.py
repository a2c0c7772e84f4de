# Two stacks: the second sees the heatmaps of the first.
_base_ = './hourglass-s1-w64_puppets-64x64.py'
model = dict(backbone=dict(num_stacks=2), head=dict(num_stacks=2))
