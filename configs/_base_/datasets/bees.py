# Bees in whole crops, turned any way: the 166 labeled ones of the training part without
# their points, other bees to score. Errors over the length of the body. Masks, to tell
# the share on the bee, are made by:
# python tools/dataset_converters/masks_from_points.py data/bees/bees_test.json
# data/bees/images work_dirs/datasets/bees/masks
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
    mask_folder='work_dirs/datasets/bees/masks',
    image_groups=r'(.+)_f\d+',  # the mean over animals, as most images show one
    protocol_options=dict(
        normalizer=(head_front, body_back), unit='% of the length of the body'
    ),
)
test_evaluator = val_evaluator
