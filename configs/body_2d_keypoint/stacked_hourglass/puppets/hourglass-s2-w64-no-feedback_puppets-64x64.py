# To compare: the second stack sees nothing of what the first one found.
_base_ = './hourglass-s2-w64_puppets-64x64.py'
model = dict(backbone=dict(feature_feedback=False, heatmap_feedback=False))
