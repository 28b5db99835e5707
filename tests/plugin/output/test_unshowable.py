"""Exceptions that break whoever looks at them cost one test, not the run."""

from __future__ import annotations

EVIL = """
    import threading
    import toy

    class Evil(Exception):
        def __getattribute__(self, name):
            raise RuntimeError(name)

    def leaves():
        raise Evil

    def model():
        inner = toy.model()

        def predict(images):
            thread = threading.Thread(target=leaves)
            thread.start()
            thread.join()
            return inner(images)

        return predict
"""


def test_a_thread_of_a_model_that_leaves_such_an_exception(project):
    project.write("evil.py", EVIL)
    project.guards(
        {"evil": 'model: "evil:model", max_drop: 100, limit: 4', "fine": "max_drop: 100, limit: 4"},
        defaults="codecs: [jpeg], bpp: [2.0]",
    )
    run = project.fork("thresholds.yaml")
    assert set(run.cells) == {"evil[jpeg-2.0bpp]", "fine[jpeg-2.0bpp]"}
    assert "INTERNALERROR" not in run.out
    assert run.cells["fine[jpeg-2.0bpp]"]["outcome"] == "passed"
