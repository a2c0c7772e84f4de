"""What to try next depends on what is wrong."""

import numpy as np

from mmkp.apis.discovery_advice import advice
from mmkp.evaluation.functional.keypoint_score import COMPONENTS, score_components


def scores(number=6, **changed):
    values = {name: np.ones(number) for name in COMPONENTS}
    values.update({k: np.full(number, v) for k, v in changed.items()})
    return score_components(values)


def info(**changed):
    settings = dict(minutes=10, k=6, boxes=None)
    settings.update({k: v for k, v in changed.items() if k in settings})
    return dict(
        settings=settings,
        method=changed.get('method', 'recommended'),
        num_training_images=changed.get('images', 500),
    )


def test_nothing_where_the_score_is_good():
    assert advice(scores(), info(images=3)) == []


def test_each_lack_has_its_remedy():
    low = scores(reliability=0.1, on_object=0.05)
    lines = advice(low, info(images=20))
    assert lines[0].startswith('20 images are few') and '--boxes' in lines[1]
    assert '--minutes 25' in lines[2] and '--method clusters' in lines[3]
    assert '-k 4' in lines[4]  # all six fail
    told = ' '.join(advice(low, info(boxes='a.json', minutes=30, method='clusters')))
    assert told == 'ask for fewer keypoints: -k 4'
    assert '--boxes' not in ' '.join(advice(low, info(method='guarded')))


def test_objects_that_lie_any_way():
    low = scores(reliability=0.1)
    turned = dict(info(method='lmdis'), score_rotation=20.0)
    assert any('the objects lie any way' in line for line in advice(low, turned))
    for other in (dict(turned, method='guarded'), dict(turned, score_rotation=5.0)):
        assert not any('lie any way' in line for line in advice(low, other))
