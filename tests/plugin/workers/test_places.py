"""A worker that comes in the place of a dead one takes its GPU, and nobody else's."""

from __future__ import annotations

from compress_guard.plugin.run import place_of
from compress_guard.plugin.workers.places import Places


class Node:
    """A worker as xdist's controller sees it."""

    def __init__(self):
        self.workerinput = {}


def test_a_place_is_taken_again_when_its_worker_is_gone():
    places, nodes = Places(), [Node() for _ in range(4)]
    for node in nodes[:2]:
        places.pytest_configure_node(node)
    assert [place_of(node.workerinput) for node in nodes[:2]] == [0, 1]
    places.pytest_testnodedown(nodes[1])
    places.pytest_configure_node(nodes[2])
    places.pytest_testnodedown(nodes[0])
    places.pytest_testnodedown(nodes[0])
    places.pytest_configure_node(nodes[3])
    assert [place_of(node.workerinput) for node in nodes[2:]] == [1, 0]


def test_a_process_that_is_no_worker_has_the_first_place():
    assert place_of(None) == 0
