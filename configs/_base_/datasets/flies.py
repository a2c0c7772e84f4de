# Two flies in a film, cut out by their boxes: those of its first 400 pictures to train
# on without their points and to fit, those of the last 100 to score. The points are
# predictions of SLEAP's networks, so errors say how far one agrees with them: they are
# no truth. Pictures are made by: python data/flies/extract_frames.py
# work_dirs/datasets/flies
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset',
    ann_file='data/flies/pair13_predictions.json',
    data_prefix=dict(img='work_dirs/datasets/flies'),
)
train_flies = dict(images, indices=list(range(800)))
# Wings and legs reach beyond the boxes of the points.
crop = dict(type='GetBBoxCenterScale', padding=1.25)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_flies)
)
val_dataloader = dict(
    dataset=dict(fit=train_flies, score=dict(images, indices=list(range(800, 1000))))
)
test_dataloader = val_dataloader
# In place of these options for crops of several sizes: the length from head to abdomen.
body_length = dict(normalizer=(0, 2), unit='% of head to abdomen')
val_evaluator = dict(
    protocol_options=dict(unit="% of crop size, from SLEAP's predictions, no truth")
)
test_evaluator = val_evaluator
