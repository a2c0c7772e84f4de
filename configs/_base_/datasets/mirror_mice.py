# Mice that run on a wheel, from the side and, in a mirror, from below: 60 pictures
# without their points to train on and to fit, 30 to score, every third of the table.
# python tools/dataset_converters/landmark_csv_to_coco.py
# data/animals/mirror_mouse/CollectedData.csv --images data/animals/mirror_mouse
# --out work_dirs/datasets/mirror_mice.json
_base_ = ['./labeled.py']
images = dict(
    type='LandmarkDataset',
    ann_file='work_dirs/datasets/mirror_mice.json',
    data_prefix=dict(img='data/animals/mirror_mouse'),
    box='image',
)
# What the camera sees behind what moves is the median of pictures in this folder.
scene = 'data/animals/mirror_mouse/labeled-data'
train_mice = dict(images, indices=[i for i in range(90) if i % 3])
train_dataloader = dict(
    dataset=dict(_delete_=True, type='LabelFreeDataset', dataset=train_mice)
)
val_dataloader = dict(
    dataset=dict(fit=train_mice, score=dict(images, indices=list(range(0, 90, 3))))
)
test_dataloader = val_dataloader
