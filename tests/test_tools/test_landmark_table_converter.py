"""Tables of landmarks, those of DeepLabCut too, become COCO-style files."""

import numpy as np
import pytest
from converter_runs import paint, read, run
from PIL import Image

from mmkp.datasets import LandmarkDataset


def test_csv_with_a_list_of_fractions(tmp_path):
    paint(tmp_path / 'img' / 'a.png', (256, 256))
    table = tmp_path / 'train.csv'
    table.write_text('filename,keypoints\na.png,"[[0, 0.5], [1, 1]]"\n')
    run(
        *('landmark_csv_to_coco', table, '--images', tmp_path / 'img'),
        *('--file-column', 'filename', '--coordinates', 'fraction'),
        *('--out', tmp_path / 'out' / 'train.json'),
    )
    _, points = read(tmp_path / 'out' / 'train.json')
    np.testing.assert_allclose(points[0], [[0, 127.5, 2], [255, 255, 2]])


def test_csv_with_columns_and_missing_points(tmp_path):
    paint(tmp_path / 'img' / 'a.png')
    table = tmp_path / 'train.csv'
    table.write_text('file_name,x0,y0,x1,y1,x2,y2\na.png,1,2,-1,-1,3.5,\n')
    arguments = (table, '--images', tmp_path / 'img', '--missing', -1)
    out = tmp_path / 'out' / 'train.json'
    run('landmark_csv_to_coco', *arguments, '--out', out)
    _, points = read(out)
    np.testing.assert_allclose(points[0], [[1, 2, 2], [0, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    'text, error, message',
    [
        ('name,x0,y0\na.png,1,2\n', ValueError, 'has no column file_name .it has name'),
        ('file_name,x0\na.png,1\n', ValueError, 'has no column y0'),
        ('file_name,x0,y0\na.png,1,no\n', ValueError, "line 2: 'no' is no number"),
        ('file_name\na.png\n', ValueError, 'neither a column keypoints nor x0'),
        ('file_name,x0,y0\nb.png,1,2\n', FileNotFoundError, 'line 2: no image .*b.png'),
    ],
)
def test_csv_errors(tmp_path, text, error, message):
    paint(tmp_path / 'img' / 'a.png')
    (tmp_path / 't.csv').write_text(text)
    out = tmp_path / 'out.json'
    with pytest.raises(error, match=message):
        run(
            *('landmark_csv_to_coco', tmp_path / 't.csv', '--images', tmp_path / 'img'),
            *('--out', out),
        )
    assert not out.exists()


def convert_table(tmp_path, text, *options):
    """Convert a table of the images in `img`; the content and points (N, K, 3)."""
    (tmp_path / 't.csv').write_text(text)
    out = tmp_path / 'out' / 'o.json'
    run(
        *('landmark_csv_to_coco', tmp_path / 't.csv', '--images', tmp_path / 'img'),
        *('--out', out, *options),
    )
    return read(out)


def test_csv_of_photographs_on_their_side(tmp_path):
    """Sizes and fractions are those of the picture as viewers show it."""
    exif = Image.Exif()
    exif[0x112] = 6
    (tmp_path / 'img').mkdir()
    picture = Image.fromarray(np.zeros((60, 80, 3), np.uint8))
    picture.save(tmp_path / 'img' / 'phone.jpg', exif=exif)
    content, points = convert_table(tmp_path, 'file_name,x0,y0\nphone.jpg,10,70\n')
    image = content['images'][0]
    assert (image['width'], image['height']) == (60, 80)
    assert content['annotations'][0]['bbox'] == [0, 0, 60, 80]
    _, points = convert_table(
        tmp_path, 'file_name,x0,y0\nphone.jpg,1,1\n', '--coordinates', 'fraction'
    )
    np.testing.assert_array_equal(points[0, 0], [59, 79, 2])


def test_csv_with_several_objects_of_an_image(tmp_path):
    paint(tmp_path / 'img' / 'a.png')
    paint(tmp_path / 'img' / 'b.png')
    text = 'file_name,x0,y0,x1,y1\na.png,1,2,3,4\nb.png,1,2,3,4\na.png,10,20,14,20\n'
    with pytest.warns(UserWarning, match='1 rows name an image again'):
        content, points = convert_table(tmp_path, text, '--padding', 2)
    assert [i['file_name'] for i in content['images']] == ['a.png', 'b.png']
    assert [a['image_id'] for a in content['annotations']] == [1, 2, 1]
    assert [a['id'] for a in content['annotations']] == [1, 2, 3]
    # Twice as wide as the points; a line has the height of a pixel.
    assert content['annotations'][2]['bbox'] == [8, 19, 8, 2]
    dataset = LandmarkDataset(
        str(tmp_path / 'out' / 'o.json'), data_prefix=dict(img=str(tmp_path / 'img'))
    )
    assert len(dataset) == 3


def test_table_of_deeplabcut(tmp_path):
    paint(tmp_path / 'img' / 'labeled-data' / 'm' / '0.png')
    (tmp_path / 'config.yaml').write_text(
        'bodyparts: [nose, ear, tail]\nskeleton: [[nose, tail]]\n'
    )
    text = (
        'scorer,A,A,A,A,A,A\nbodyparts,nose,nose,ear,ear,tail,tail\n'
        'coords,x,y,x,y,x,y\nlabeled-data\\m\\0.png,1,2,,,3,4\n'
    )
    content, points = convert_table(
        tmp_path, text, '--project', tmp_path / 'config.yaml'
    )
    np.testing.assert_array_equal(points[0], [[1, 2, 2], [0, 0, 0], [3, 4, 2]])
    assert content['images'][0]['file_name'] == 'labeled-data/m/0.png'
    category = content['categories'][0]
    assert category['keypoints'] == ['nose', 'ear', 'tail']
    assert category['skeleton'] == [[1, 3]]


def test_suspicious_coordinates_are_told(tmp_path):
    paint(tmp_path / 'img' / 'a.png', (40, 30))
    with pytest.warns(UserWarning, match='line 2: 2 points lie outside of their image'):
        convert_table(tmp_path, 'file_name,x0,y0,x1,y1\na.png,40,3,-1,-1\n')
    with pytest.warns(UserWarning, match='give --coordinates fraction'):
        convert_table(tmp_path, 'file_name,x0,y0\na.png,.5,.25\n')


def test_names_that_would_be_one_image_are_refused(tmp_path):
    paint(tmp_path / 'img' / '1.png')
    text = 'file_name,x0,y0\nleft/1.png,1,2\nright/1.png,3,4\n'
    with pytest.raises(ValueError, match=r'line 3: right/1.png would be .* left/1.png'):
        convert_table(tmp_path, text)
    text = 'file_name,x0,y0\n1.png,1,2\n2.png,3,4\n3.png,3,4\n'
    with pytest.raises(
        FileNotFoundError, match=r'line 3: no image .*2.png \(and 1 more'
    ):
        convert_table(tmp_path, text)


def test_two_tables_have_to_be_of_the_same_landmarks(tmp_path):
    paint(tmp_path / 'img' / 'a.png')
    (tmp_path / 't.csv').write_text('file_name,x0,y0\na.png,1,2\n')
    (tmp_path / 'u.csv').write_text('file_name,x0,y0,x1,y1\na.png,1,2,3,4\n')
    with pytest.raises(
        ValueError, match='u.csv has the landmarks point_0, point_1, but'
    ):
        run(
            *('landmark_csv_to_coco', tmp_path / 't.csv', tmp_path / 'u.csv'),
            *('--images', tmp_path / 'img', '--out', tmp_path / 'o.json'),
        )
