"""Names and what stands behind them: ``name -> "module:object"``, imported on first use.

In: a name that a file, a call or an option gives. Out: the class or factory behind it, or a sentence on what is wrong.
Open `tables` first: it names every codec and task of the package. `lazy_table` resolves a name and asks `third_parties`
(entry points, decorators) where the package does not know it; `contracts` says what an object must be, `codec_names`
reads names that carry options, `codec_options` the steps of pipelines, `scales` asks a codec for the settings that it
takes, `decoders` is the table of what reads streams, `third_party_code` hashes the code of others for the keys of the
store.
"""

from compress_guard.registry.codec_names import codec_named
from compress_guard.registry.codec_options import example_options, option_names, read_steps, required_options
from compress_guard.registry.decoders import DECODERS, KnownDecoder
from compress_guard.registry.decorators import register_codec, register_data, register_model, register_task
from compress_guard.registry.lazy_table import Registry, unknown
from compress_guard.registry.scales import setting_fault, setting_faults
from compress_guard.registry.tables import CODECS, DATA, MODELS, SCHEMES, TASKS
from compress_guard.registry.third_party_code import code_of

__all__ = [
    "CODECS",
    "DATA",
    "DECODERS",
    "MODELS",
    "SCHEMES",
    "TASKS",
    "KnownDecoder",
    "Registry",
    "code_of",
    "codec_named",
    "example_options",
    "option_names",
    "read_steps",
    "register_codec",
    "register_data",
    "register_model",
    "register_task",
    "required_options",
    "setting_fault",
    "setting_faults",
    "unknown",
]
