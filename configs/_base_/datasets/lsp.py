# Leeds Sports Pose, trained together with its extended set: 11,000 people; 1,000 are
# tested. `lsp_to_coco.py --box tight` of tools/dataset_converters makes both folders,
# with room around the joints in the boxes: they are the crops. A child gives each of
# `train_sets` its pipeline.
_base_ = ['./topdown.py']
dataset_type = 'LspDataset'
root = 'work_dirs/datasets/lsp'
people = dict(type=dataset_type, data_prefix=dict(img='images/'))
train_sets = [
    dict(people, data_root=folder, ann_file='annotations/train.json')
    for folder in (root, 'work_dirs/datasets/lsp_extended')
]
train_dataloader = dict(dataset=dict(type='ConcatDataset'))
val_dataloader = dict(
    dataset=dict(people, data_root=root, ann_file='annotations/test.json')
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='PercentageOfCorrectKeypoints',
    torso=('right_shoulder', 'left_hip'),
    thresholds=(0.2, 0.1),
)
test_evaluator = val_evaluator
