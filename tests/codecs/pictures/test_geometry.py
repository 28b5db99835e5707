"""The geometry of codecs that deliver other pictures than their sources."""

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pictures.geometry import Geometry, geometry_of

HEIGHT, WIDTH = 30, 40


def test_a_plain_codec_changes_nothing():
    geometry = geometry_of(Jpeg(), (HEIGHT, WIDTH))
    assert geometry == Geometry((HEIGHT, WIDTH), (0, 0, WIDTH, HEIGHT), (HEIGHT, WIDTH))
    assert geometry.same
    assert not geometry.cropped


def test_a_smaller_picture_of_the_whole_source_is_not_cropped():
    geometry = Geometry((HEIGHT, WIDTH), (0, 0, WIDTH, HEIGHT), (15, 20))
    assert (geometry.same, geometry.cropped) == (False, False)


def test_a_part_of_the_source_is_cropped_at_any_size():
    for delivered in ((30, 40), (15, 20)):
        geometry = Geometry((HEIGHT, WIDTH), (5, 0, WIDTH, HEIGHT), delivered)
        assert (geometry.same, geometry.cropped) == (False, True)


def test_a_codec_that_reshapes_says_how():
    class Halving:
        def geometry(self, size):
            height, width = size
            return Geometry(size, (0, 0, width, height), (height // 2, width // 2))

        def reshaped(self, images, workers=1):
            return list(images)

    assert geometry_of(Halving(), (HEIGHT, WIDTH)).delivered == (15, 20)
