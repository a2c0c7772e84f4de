# Taichi, K=10, thin edges. Annotations made by
# tools/dataset_converters/landmark_csv_to_coco.py --missing -1.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/labelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=10), generator=dict(num_keypoints=10, thickness=5e-4)
)
images = dict(img='data/taichi')

train_dataloader = dict(dataset=dict(num_keypoints=10, data_root='data/taichi/train'))
val_dataloader = dict(
    dataset=dict(
        num_keypoints=10,
        fit=dict(ann_file='work_dirs/datasets/taichi/train.json', data_prefix=images),
        score=dict(ann_file='work_dirs/datasets/taichi/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='taichi')
test_evaluator = val_evaluator
