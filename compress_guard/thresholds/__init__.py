"""thresholds.yaml -> frozen guards and cells, every error with its line.

Open `file` first: it reads the sections in order. `document` is YAML, `value` a node with its line, `catalogue` the
codecs, `codec_options` what they take, `settings` and `guards` the keys, `keys` the readers of single keys, `keywords`
their ranges; `waivers` is the section of known failures, `shards` the cut of a file for several machines.

`schema` describes files to editors; `limits` makes limits of measurements. `extent` bounds what a small file can stand
for; `factories` looks named callables up in their sources, which `modules` finds.

Compact reference (scores and drops in points, rates in bits per pixel; "0.02..8" includes both ends):

==================  ==================================================================================================
``version``         1
``thresholds``      per task ``{max_drop: ...}``: the allowed drop of guards that give none themselves
``codecs``          own names: ``name: {type: REGISTERED, option: value, ...}``; letters, digits, ``_`` and ``.``.
                    A registered name may be used only with the type of that name: it then sets its options. A name may
                    contain another one, ``jpeg444`` say; ``-k "jpeg and not jpeg444"`` then tells them apart. For
                    ``type: pipeline`` see docs/howto/pipelines.md; one whose steps are all fixed is a single cell
``defaults``        any of the keys down to recovery; what is not given has the value in brackets
``codecs``          list of names [jpeg, webp, avif]
``bpp``             list of rates 0.02..8 [0.1, 0.25, 0.5, 1.0, 2.0; none where the file states quality and no bpp];
                    or per codec; null: none
``quality``         list of settings on the scale of the codec [none]; or per codec; null: none
``rate``            [dataset] | image
``rate_tolerance``  above 0, at most 0.5 [0.02, in image mode 0.05]
``limit``           images per guard, at least 1, or [null]: all; or per codec
``confidence``      above 0.5, below 1 [0.95]
``correction``      [none] | bonferroni: the confidence becomes 1 - (1 - confidence) / m, where m counts the judged
                    limits of the cells of all guards that ask for it, whatever is selected: a cell with a max_drop,
                    a min_score and a min_clean has three
``decoders``        list of pillow, opencv, torchvision, torchcodec, nvjpeg [each codec's own]: the first decodes the
                    cells, each further one has cells of its own, ``photos[jpeg-0.5bpp-opencv]``
``max_decoder_drop`` 0..100: the allowed drop between the first decoder and a further one, in the forms of max_drop
                    [not judged]
``decoder_swap``    true | [false]: predict each cell also from what a second decoder makes of its streams
``on_inconclusive`` [pass] | fail | point
``on_unreachable``  [skip] | fail
``on_unavailable``  [fail] | skip
``max_error_share`` at least 0, below 1 [0.0]
``min_clean``       0..100: a floor under the clean score [none: a model that knows nothing is an error]; 0 switches
                    that error off and is no limit
``max_regression``  0..100: how far the compressed score may fall below that of the baseline, in the forms of max_drop
                    [not judged]
``orientation``     upright | stored, for images that EXIF turns [as masks and boxes tell; classification: upright]
``groups``          images that belong together: a field of the targets, ``package.module:callable`` or ``folder``
                    [none]; intervals are over groups
``reference``       [source] | input: the clean side of codecs that scale or crop is the sources, or these scaled and
                    cropped without coding; a codec that crops needs ``input``
``throughput``      what is timed, and how fast it has to be [nothing]; see docs/reference/thresholds.md
``recovery``        how the model is finetuned, and what that has to bring back [not at all]; see below
``waive``           beside guards: a list of ``{cells: pattern, reason: text, until: date}`` [none], cells that may
                    miss their limits through that day (UTC); every pattern fits a cell, and no cell has two
``guards``          ``name: {...}``: each key of defaults again, which replaces the default as a whole (that
                    of recovery key by key), and
``task``            a registered task
``model, data``     ``package.module:callable``, ``fixture:NAME`` or a registered name; a mistyped callable is an
                    error where the module's source has one like it, and is left to the run otherwise
``metric``          of the task [its first one]
``max_drop``        0..100: a number, or by rate and quality, or per codec; replaces the task's as a whole [the task's]
``min_score``       0..100: the same forms; a floor under the compressed score [none]
``slices``          ``name: how``, ways to part the images [none]; see below
``traffic``         the share of production that each cell stands for [none]: ``{jpeg: {q75: 0.4, 0.5: 0.1}, upload:
                    0.2}``: above 0, at most 1 in all; a codec of one cell takes its share without a point
``fingerprint``     a text that changes whenever the model does, or ``{files: [...]}`` that it is made of [none]
==================  ==================================================================================================

By rate: ``{0.1: 30, 1: 3}``, linear in log bpp between the given rates, and by quality: ``{q75: 2, q50: 5}``, of which
none is between two others. Elsewhere max_drop is an error, while min_score is no floor; a min_score that reaches no
point of its guard is an error. Per codec: ``{jpeg: ...,
default: ...}``. A codec that is neither named nor covered by ``default`` has no threshold (its cells are measured, not
judged), no floor and no limit; without rates it is an error. Codecs that a guard does not use may be named.

How slices go: ``package.module:callable``, which is called with the target and the id of each image and returns a
text, a number, None (in no slice) or a list of these; or a field of the target, ``label`` being the target itself where
it is a class index; or, for detection, ``object_size``: small, medium and large. Or a map ``{by: one of these,
max_drop: ...}`` with limits: a number, or by rate, or by slice ``{"3": 5, night: {0.1: 30, 1: 3}, default: 10}``, where
the names of slices are texts, numbers in quotes. Limits hold in the cells that are judged themselves. Slices without a
limit only inform.

How recovery goes: ``train`` (a factory, or ``fixture:NAME``) is needed. ``trainer`` is a factory [the task's recipe];
``codecs``, ``bpp`` and ``quality`` are as above [the guard's], ``mixed`` beside two or more being one model over all;
``steps`` 1..1000000 [400], ``batch`` 1..4096 [8] and ``images`` 1..1000000 [600] are whole numbers; ``seeds`` is a list
of distinct whole numbers 0..4294967295, or one [0, 1, 2]; ``learning_rate`` 1e-8..10 is the highest [the trainer's];
``min_recovered`` 0..1, a number or per codec [none]. The guard's keys are laid over those of the defaults one by one;
``null`` takes the whole away. Defaults without ``train`` ask for nothing where a guard does not have the key.

Scalars follow the YAML 1.2 core schema: ``4:4:4`` and ``yes`` are text, ``1e-1`` is a number. Anchors, aliases and
merge keys (``<<``) work. A key that is given twice is an error, and so are two spellings of one rate.
"""

from __future__ import annotations

from compress_guard.thresholds.document import read
from compress_guard.thresholds.file import load, parse

__all__ = ["load", "parse", "read"]
