# To compare: the second stack sees the features of the first, not its heatmaps.
_base_ = './hourglass-s2-w64_puppets-64x64.py'
model = dict(backbone=dict(heatmap_feedback=False))
