# Bees in whole crops, turned any way: the 166 labeled ones of the training part without
# their points, other bees to score. Errors over the length of the body.
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset',
    data_root='data/bees',
    data_prefix=dict(img='images'),
    box='image',  # the files' boxes are those of the points
)
train_bees = dict(images, ann_file='bees_train.json')
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_bees)
)
val_dataloader = dict(
    dataset=dict(fit=train_bees, score=dict(images, ann_file='bees_test.json'))
)
test_dataloader = val_dataloader
head_front = 0
body_back = 5
val_evaluator = dict(
    protocol_options=dict(
        normalizer=(head_front, body_back), unit='% of the length of the body'
    )
)
test_evaluator = val_evaluator
