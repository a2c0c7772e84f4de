# A mouse in an open field, seen from above: whole pictures of 640x480 pixels, 60 to
# train on without their points and to fit, 26 to score. Distances in pixels.
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset',
    data_root='data/openfield',
    data_prefix=dict(img=''),
    box='image',
)
train_mice = dict(images, ann_file='openfield_train.json')
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_mice)
)
val_dataloader = dict(
    dataset=dict(fit=train_mice, score=dict(images, ann_file='openfield_test.json'))
)
test_dataloader = val_dataloader
val_evaluator = dict(
    protocol_options=dict(
        normalizer='none',
        scale=1.0,
        reduction='root_mean_square',
        unit='px of the picture, root mean square',
    )
)
test_evaluator = val_evaluator
