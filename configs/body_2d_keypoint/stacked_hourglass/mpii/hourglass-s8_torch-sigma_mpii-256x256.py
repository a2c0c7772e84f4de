# The targets that the author's Torch code really trains: Gaussians of 1.75 cells, cut
# to 7x7, and empty maps for joints without label.
_base_ = ['../_base_/newell.py', '../../../_base_/datasets/mpii_256x256.py']
codec = dict(
    type='HourglassHeatmap',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    sigma=1.75,
    patch_size=7,
    mask_unlabeled=False,
)
train_pipeline = [
    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(head=dict(decoder=codec))
