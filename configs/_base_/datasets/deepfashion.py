# Full-body DeepFashion. Annotations made by
# tools/dataset_converters/landmark_csv_to_coco.py.
_base_ = ['./labeled.py']
root = 'work_dirs/datasets/deepfashion'
images = dict(img='data/deepfashion')
train_dataloader = dict(dataset=dict(data_root='data/deepfashion/train'))
val_dataloader = dict(
    dataset=dict(
        fit=dict(ann_file=f'{root}/train.json', data_prefix=images),
        score=dict(ann_file=f'{root}/test.json', data_prefix=images),
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(protocol='deepfashion')
test_evaluator = val_evaluator
