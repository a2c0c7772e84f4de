# The mouse in an open field, cut out by the boxes around its points, with some room.
# Distances in pixels of the picture.
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset',
    data_root='data/openfield',
    data_prefix=dict(img=''),
)
train_mice = dict(images, ann_file='openfield_train.json')
# The tail lies outside of the boxes.
crop = dict(type='GetBBoxCenterScale', padding=1.25)
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
