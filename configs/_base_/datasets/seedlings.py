# Plants on white ground without points: 48 pictures to train on, 12 to look at. Scored
# by the share of keypoints on the plant, by its mask.
_base_ = ['./unlabeled.py']
images = dict(data_root='data/seedlings', data_prefix=dict(img='images'))
train_dataloader = dict(dataset=dict(images, indices=[i for i in range(60) if i % 5]))
val_dataloader = dict(dataset=dict(images, indices=list(range(0, 60, 5))))
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='KeypointCollapseMetric'),
    dict(type='ObjectShareMetric', mask_folder='data/seedlings/masks'),
]
test_evaluator = val_evaluator
